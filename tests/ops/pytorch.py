"""Writes pytorch.jsonl: what PyTorch makes of every op, in double precision.

    pip install torch
    python pytorch.py

A line is a call: `op`, its tensors (`inputs`, some of whole numbers), its
`arguments` ("#0" is the first tensor), the `output`, the gradient `dy` given to
it, and the `gradients` that come back to each input. All inputs are exact in
single precision too.
"""

import json
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

LINES = []


def normal(*shape: int) -> Tensor:
    """Normal numbers, rounded to 64ths."""
    return (torch.randn(shape) * 64).round().double() / 64


def positive(*shape: int) -> Tensor:
    """Numbers from 1/4 upwards."""
    return normal(*shape).abs() + 0.25


def whole(below: int, *shape: int) -> Tensor:
    """Whole numbers from 0."""
    return torch.randint(below, shape)


def call(op: str, function, *inputs: Tensor, arguments: list | None = None) -> None:
    """Adds the line of one call. `function` takes the tensors; `arguments` is how our op
    takes them, by default one after another."""
    tensors = [x.requires_grad_() if x.is_floating_point() else x for x in inputs]
    y = function(*tensors)
    line = {
        "op": op,
        "inputs": [plain(x) for x in tensors],
        "arguments": arguments or [f"#{i}" for i in range(len(tensors))],
        "output": plain(y),
    }
    if y.is_floating_point():
        dy = normal(*y.shape)
        y.backward(dy)
        line["dy"] = dy.flatten().tolist()
        line["gradients"] = [
            x.grad.flatten().tolist() if x.is_floating_point() else None for x in tensors
        ]
    LINES.append(json.dumps(line) + "\n")


def plain(x: Tensor) -> dict:
    """A tensor as JSON: its type, shape and numbers in row-major order."""
    return {
        "dtype": "f32" if x.is_floating_point() else "u32",
        "shape": list(x.shape),
        "data": x.detach().flatten().tolist(),
    }


def attention(qkv: Tensor, heads: int) -> Tensor:
    """Packed queries, keys and values [B, T, 3C] through PyTorch's own attention."""
    batch, time, packed = qkv.shape
    channels = packed // 3
    parts = qkv.split(channels, dim=2)
    query, key, value = (
        part.view(batch, time, heads, channels // heads).transpose(1, 2) for part in parts
    )
    y = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    return y.transpose(1, 2).reshape(batch, time, channels)


def attention_of_documents(qkv: Tensor, starts: Tensor, heads: int, pairs: int) -> Tensor:
    """The same where documents lie side by side and queries share heads of keys
    [B, T, (H + 2 KV) D], by a block-diagonal mask."""
    batch, time, packed = qkv.shape
    size = packed // (heads + 2 * pairs)
    query, key, value = (
        part.view(batch, time, -1, size).transpose(1, 2)
        for part in qkv.split([heads * size, pairs * size, pairs * size], dim=2)
    )
    same = starts[:, :, None] == starts[:, None, :]
    mask = (same & torch.ones(time, time, dtype=torch.bool).tril())[:, None]
    y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=True)
    return y.transpose(1, 2).reshape(batch, time, heads * size)


def main() -> None:
    torch.manual_seed(7)

    call("add", torch.add, normal(2, 3, 5), normal(3, 1))
    call("sub", torch.sub, normal(1, 4), normal(3, 1))
    call("mul", torch.mul, normal(4), normal(2, 3, 4))
    call("div", torch.div, normal(2, 5), positive(5))
    call("pow", torch.pow, positive(3, 4), normal(3, 4))

    for op in ("neg", "exp", "tanh", "sigmoid", "relu"):
        call(op, getattr(torch, op), normal(3, 7))
    for op in ("log", "sqrt"):
        call(op, getattr(torch, op), positive(3, 7))
    call("silu", F.silu, normal(3, 7))
    for approximate in ("tanh", "none"):
        call(
            "gelu",
            lambda x: F.gelu(x, approximate=approximate),
            2 * normal(5, 7),
            arguments=["#0", {"approximate": approximate}],
        )

    for op in ("sum", "mean"):
        call(op, getattr(torch, op), normal(3, 4))
        call(
            op,
            lambda x: getattr(torch, op)(x, 1, True),
            normal(2, 5, 3),
            arguments=["#0", {"axis": 1, "keepDims": True}],
        )
    call(
        "max",
        lambda x: torch.max(x, -1).values,
        normal(3, 6),
        arguments=["#0", {"axis": -1}],
    )
    call(
        "argmax",
        lambda x: torch.argmax(x, 0),
        normal(5, 4),
        arguments=["#0", {"axis": 0}],
    )

    call("matmul", torch.matmul, normal(2, 1, 3, 5), normal(4, 5, 2))
    call(
        "matmul",
        lambda a, b: a.mT @ b,
        normal(2, 5, 3),
        normal(2, 5, 4),
        arguments=["#0", "#1", {"transposeA": True}],
    )
    call(
        "matmul",
        lambda a, b: a @ b.mT,
        normal(3, 5),
        normal(2, 4, 5),
        arguments=["#0", "#1", {"transposeB": True}],
    )
    call("linear", F.linear, normal(2, 3, 5), normal(4, 5), normal(4))
    call("conv1d", lambda x, w, b: x @ w + b, normal(2, 3, 5), normal(5, 4), normal(4))

    call("softmax", lambda x: F.softmax(x, -1), 3 * normal(3, 7))
    call(
        "softmax",
        lambda x: F.softmax(x, 1),
        3 * normal(2, 5, 3),
        arguments=["#0", {"axis": 1}],
    )
    call("logSoftmax", lambda x: F.log_softmax(x, -1), 3 * normal(3, 7))
    call(
        "layerNorm",
        lambda x, w, b: F.layer_norm(x, (11,), w, b),
        normal(3, 11),
        normal(11),
        normal(11),
    )
    call(
        "attention",
        lambda qkv: attention(qkv, 2),
        normal(2, 5, 18),
        arguments=["#0", 2],
    )
    call(
        "embedding",
        lambda table, ids: F.embedding(ids, table),
        normal(6, 4),
        whole(6, 2, 5),
    )
    call(
        "crossEntropy",
        lambda x, y: F.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=255),
        3 * normal(2, 3, 7),
        torch.tensor([[4, 0, 3], [255, 6, 255]]),
        arguments=["#0", "#1", {"ignoreIndex": 255}],
    )

    call(
        "permute",
        lambda x: x.permute(2, 0, 1),
        normal(2, 3, 4),
        arguments=["#0", [2, 0, 1]],
    )
    call(
        "expand",
        lambda x: x.expand(3, 2, 4),
        normal(2, 1),
        arguments=["#0", [3, 2, 4]],
    )
    call(
        "gather",
        lambda x, index: torch.gather(x, 1, index),
        normal(3, 5),
        whole(5, 2, 7),
        arguments=["#0", 1, "#1"],
    )

    # Last, so that the numbers of all lines above stay as they are.
    call(
        "attention",
        lambda qkv, starts: attention_of_documents(qkv, starts, 2, 2),
        normal(2, 7, 18),
        torch.tensor([[0, 0, 0, 3, 3, 5, 6], [0, 1, 1, 1, 1, 1, 6]]),
        arguments=["#0", 2, {"starts": "#1"}],
    )
    call(
        "attention",
        lambda qkv, starts: attention_of_documents(qkv, starts, 4, 2),
        normal(1, 6, 24),
        torch.tensor([[0, 0, 2, 2, 2, 5]]),
        arguments=["#0", 4, {"keyValueHeads": 2, "starts": "#1"}],
    )

    (Path(__file__).parent / "pytorch.jsonl").write_text("".join(LINES))


if __name__ == "__main__":
    main()
