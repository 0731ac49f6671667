// The rows of hidden states that a loss counts, taken out and put back.
//
//   pick           y[i] = x[rows[i]]              a thread per vector of y
//   put            y[rows[i]] = x[i]              a thread per vector of x
//   pick_targets   goals[i] = targets[rows[i]]    a thread per row picked
//
// No row is picked twice, so that no two threads of `put` write to one place.
// Where `rows` names none there is, `pick` gives zeros, the target is `ignored`,
// and nothing is put back. States too large to bind come in slices: `some` of
// their rows from `base` on. The including source says how they are `Stored`.

const BLOCK: u32 = 64u;
const ADD: bool = false; // to what lies in y

struct Params {
  picked: u32, // rows
  some: u32, // rows of the slice
  base: u32,
  total: u32, // rows there are
  wide: u32, // of a row, in fours
  ignored: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<u32>; //            [picked]
@group(0) @binding(2) var<storage, read> x: array<Stored>; //            [some, wide], or [picked, wide] to put
@group(0) @binding(3) var<storage, read_write> y: array<Stored>; //      [picked, wide], or [some, wide] to put
@group(0) @binding(4) var<storage, read> targets: array<u32>; //         [total]
@group(0) @binding(5) var<storage, read_write> goals: array<u32>; //     [picked]

@compute @workgroup_size(BLOCK)
fn pick(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = flat_group(group, groups) * BLOCK + thread;
  if at >= params.picked * params.wide { return; }
  let name = rows[at / params.wide];
  let row = name - params.base; // wraps round for the rows of an earlier slice
  if row < params.some {
    y[at] = x[row * params.wide + at % params.wide];
  } else if name >= params.total {
    y[at] = Stored();
  }
}

@compute @workgroup_size(BLOCK)
fn put(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = flat_group(group, groups) * BLOCK + thread;
  if at >= params.picked * params.wide { return; }
  let row = rows[at / params.wide] - params.base;
  if row >= params.some { return; }
  let to = row * params.wide + at % params.wide;
  var value = vec4f(x[at]);
  if ADD { value += vec4f(y[to]); }
  y[to] = Stored(value);
}

@compute @workgroup_size(BLOCK)
fn pick_targets(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = flat_group(group, groups) * BLOCK + thread;
  if at >= params.picked { return; }
  var goal = params.ignored;
  if rows[at] < params.total { goal = targets[rows[at]]; }
  goals[at] = goal;
}
