import { expectDtype, expectFloat, expectShape } from "../tensor/expect.ts";
import { record } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { elementwise, storedAs, vectorsOf } from "./elementwise.ts";
import source from "../../kernels/swiglu.wgsl" with { type: "text" };

const kernel = elementwise("swiglu", source);

/**
 * `silu(gate) up`, element by element: the nonlinearity of Llama's MLP, in one
 * pass. Both of one shape and dtype.
 */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  const { device, shape, dtype } = gate;
  expectFloat("apply swiglu to", gate);
  expectShape(`apply swiglu to [${shape}]`, "up", up, shape);
  expectDtype(`apply swiglu to ${dtype} [${shape}] and`, up, dtype);
  const vectors = vectorsOf(gate);
  const how = { grid: { threads: vectors }, types: storedAs(dtype) };
  const y = Tensor.empty(device, shape, dtype);
  kernel.run("forward", {
    args: { gate, up, y, vectors },
    work: { bytes: 3 * y.bytes },
    images: ["gate", "up"],
    ...how,
  });

  return record(y, "swiglu", [gate, up], (dy, [intoGate, intoUp]) => {
    const dgate = intoGate?.tensor ?? Tensor.empty(device, shape, dtype);
    const dup = intoUp?.tensor ?? Tensor.empty(device, shape, dtype);
    const ADD_GATE = intoGate?.add ?? false;
    const ADD_UP = intoUp?.add ?? false;
    const added = [...ADD_GATE ? ["dgate"] : [], ...ADD_UP ? ["dup"] : []];
    kernel.run("backward", {
      args: { gate, up, dy, dgate, dup, vectors },
      constants: { ADD_GATE, ADD_UP },
      work: { bytes: 5 * y.bytes },
      images: ["gate", "up", "dy", ...added],
      ...how,
    });
    return [dgate, dup];
  });
}
