"""PyTorch on the CPU as a contestant: `python3 pytorch.py TASK`.

Speaks as answer.ts describes. The model is GPT-2 as nanoGPT writes it, on the
weights it is given.
"""

import functools
import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

THREADS = len(os.sched_getaffinity(0))


def main():
    torch.set_num_threads(THREADS)
    with open(sys.argv[1]) as file:
        task = json.load(file)
    prepare = {"matmul": product, "train": training, "decode": decoding}
    check, turns = prepare[task["kind"]](task)
    ready = {"check": check, "version": torch.__version__}
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        print(json.dumps({"seconds": turns(int(line))}), flush=True)


def read_shared(shared):
    numbers = np.fromfile(shared["path"], dtype=np.float32)
    arrays, at = {}, 0
    for name, shape in shared["shapes"]:
        size = int(np.prod(shape))
        arrays[name] = torch.from_numpy(numbers[at : at + size]).reshape(shape)
        at += size
    return arrays


def product(task):
    a, b = read_shared(task["shared"]).values()
    c = (a @ b).flatten()

    def turns(count):
        start = time.perf_counter()
        for _ in range(count):
            a @ b
        return time.perf_counter() - start

    return [c[at].item() for at in task["probes"]], turns


def training(task):
    sizes = task["sizes"]
    weights = {
        name: torch.nn.Parameter(array)
        for name, array in read_shared(task["shared"]).items()
    }
    matrices = [w for w in weights.values() if w.dim() > 1]
    vectors = [w for w in weights.values() if w.dim() == 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": task["weightDecay"]},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=task["learningRate"],
        betas=(task["beta1"], task["beta2"]),
        eps=task["eps"],
    )
    inputs, targets = (
        torch.tensor(task[name]).view(-1, sizes["blockSize"])
        for name in ("inputs", "targets")
    )

    def step():
        hidden = forward(weights, sizes, inputs)
        logits = hidden @ weights["wte.weight"].t()
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def turns(count):
        start = time.perf_counter()
        for _ in range(count):
            step()
        return time.perf_counter() - start

    return [step() for _ in range(task["checks"])], turns


@torch.inference_mode()
def decoding(task):
    sizes = task["sizes"]
    weights = read_shared(task["shared"])
    prompt = torch.tensor([task["prompt"]])

    @torch.inference_mode()
    def write():
        cache = {}
        tokens = []
        ids = prompt
        while len(tokens) < task["tokens"]:
            hidden = forward(weights, sizes, ids, cache)[:, -1]
            ids = (hidden @ weights["wte.weight"].t()).argmax(-1, keepdim=True)
            tokens.append(ids.item())
            if len(tokens) == 1:
                start = time.perf_counter()
        return tokens, time.perf_counter() - start

    return write()[0], lambda count: sum(write()[1] for _ in range(count))


def forward(w, sizes, ids, cache=None):
    """What the blocks make of ids [B, T]: [B, T, C]. A cache holds what was
    read before, and gets these."""
    heads, channels = sizes["nHead"], sizes["nEmbd"]
    batch, time_ = ids.shape
    read = cache[0][0].shape[2] if cache else 0

    def norm(x, name):
        return F.layer_norm(x, (channels,), w[f"{name}.weight"], w[f"{name}.bias"])

    def linear(x, name):
        rows = x.view(-1, x.shape[-1])
        y = torch.addmm(w[f"{name}.bias"], rows, w[f"{name}.weight"])
        return y.view(batch, time_, -1)

    x = F.embedding(ids, w["wte.weight"]) + w["wpe.weight"][read : read + time_]
    for layer in range(sizes["nLayer"]):
        h = f"h.{layer}"
        qkv = linear(norm(x, f"{h}.ln_1"), f"{h}.attn.c_attn")
        q, k, v = (
            part.view(batch, time_, heads, -1).transpose(1, 2)
            for part in qkv.split(channels, dim=2)
        )
        if cache is not None:
            if read > 0:
                k, v = (torch.cat(pair, 2) for pair in zip(cache[layer], (k, v)))
            cache[layer] = (k, v)
        mixed = attention(q, k, v, causal=read == 0)
        mixed = mixed.transpose(1, 2).reshape(batch, time_, channels)
        x = x + linear(mixed, f"{h}.attn.c_proj")
        wide = linear(norm(x, f"{h}.ln_2"), f"{h}.mlp.c_fc")
        x = x + linear(F.gelu(wide, approximate="tanh"), f"{h}.mlp.c_proj")
    return norm(x, "ln_f")


def attention(q, k, v, causal):
    """The library's own, and before PyTorch 2.0, which has none, step by step."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    scores = (q @ k.transpose(-2, -1)) / math.sqrt(k.shape[-1])
    if causal:
        scores = scores.masked_fill(later(k.shape[-2]), float("-inf"))
    return F.softmax(scores, dim=-1) @ v


@functools.lru_cache
def later(size):
    """Which keys come after a query: [size, size]."""
    return torch.ones(size, size, dtype=torch.bool).triu(1)


if __name__ == "__main__":
    main()
