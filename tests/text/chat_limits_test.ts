import { assert, assertEquals, assertThrows } from "@std/assert";
import { ChatTemplate } from "../../lib/text/chat_template.ts";

const talk = [{ role: "user", content: "Hello" }];

function refused(source: string, why: string, limits = {}): void {
  const start = performance.now();
  const error = assertThrows(
    () => new ChatTemplate(source).render(talk, { seconds: 0.3, ...limits }),
    Error,
    why,
  );
  const seconds = (performance.now() - start) / 1000;
  assert(seconds < 5, `${source} took ${seconds} s`);
  assert(!error.message.includes("\n"), error.message);
}

Deno.test("a template that takes too long is stopped", () => {
  const loop = (inside: string) =>
    `{% for a in range(9999) %}${inside}{% endfor %}`;
  const late = "it takes over 0.3 seconds";
  refused(loop(loop(loop(loop("x")))), late);
  refused(loop(loop("")), late);
  refused(
    loop(loop("{% if a is odd %}{{ raise_exception() }}{% endif %}")),
    "",
  );
  refused(
    `{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}`,
    "",
  );
  refused(
    `{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}`,
    late,
  );
});

Deno.test("a template that writes or holds too much is stopped", () => {
  const much = "it makes more than 1000000 characters and elements";
  const doubling = (value: string) =>
    `{% set ns = namespace(x=${value}) %}` +
    `{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}`;
  refused(doubling("'ab'"), much);
  refused(doubling("[1]"), much);
  refused("{% for i in range(999999) %}0123456789{% endfor %}", much, {
    seconds: 60,
  });
  refused("{{ range(10 ** 9) }}", "its range has 1000000000 numbers");
  refused("{{ range(0, 10 ** 15, 1) }}", "its range has 1000000000000000");
  refused("{{ range(1, 2, 0) }}", "its range has Infinity numbers");
  refused("{{ 'a\\nb'|indent(10 ** 8) }}", much);
  refused("{{ ('ab' * 3) }}", "");
  // Ten lists of ten lists of ten lists of … the same.
  const nested = "{% set ns = namespace(x=[1]) %}{% for i in range(12) %}" +
    "{% set x = ns.x %}{% set ns.x = [x, x, x, x, x, x, x, x, x, x] %}{% endfor %}";
  refused(`${nested}{{ ns.x | tojson }}`, much);
  refused(`${nested}{{ ns.x ~ ns.x }}`, much);
  // Namespaces that hold each other, made large after the lists that hold them.
  const chain =
    Array.from({ length: 12 }, (_, i) => `{% set n${i} = namespace(x=0) %}`)
      .join("") +
    Array.from(
      { length: 11 },
      (_, i) =>
        `{% set n${i}.x = [${Array(10).fill(`n${i + 1}`).join(", ")}] %}`,
    ).join("");
  refused(`${chain}{{ n0.x | tojson }}`, much);
  refused(
    "{% set n = namespace() %}{% set n.x = [n, n] %}{{ n.x | tojson }}",
    "",
  );
});

Deno.test("a template that is not one is refused", () => {
  const cases: [source: string, why: string][] = [
    ["{% for m in messages %}", "Cannot read the chat template default: "],
    ["{{ 'a }}", "Cannot read the chat template default: "],
    ["{% nothing %}", "Cannot read the chat template default: "],
    ["(".repeat(10), ""],
    [`{{ ${"(".repeat(1e5)} }}`, "it nests or grows without end"],
    [" ".repeat(5000), "a gap of over a thousand blank characters"],
    ["x".repeat(1e6), "it has 1000000 characters, at most 200000 are read"],
  ];
  for (const [source, why] of cases) {
    if (why === "") new ChatTemplate(source);
    else assertThrows(() => new ChatTemplate(source), SyntaxError, why);
  }
});

Deno.test("a template reaches no prototype and nothing of the program", () => {
  const render = (source: string) =>
    new ChatTemplate(source).render(
      JSON.parse(
        '[{"role": "user", "content": "x", "__proto__": {"evil": 1}}]',
      ),
      { variables: { number: 1, list: [1], flag: true } },
    );
  const places = ["messages", "messages[0]", "messages[0].content", "number"];
  places.push(
    "list",
    "flag",
    "range",
    "raise_exception",
    "namespace()",
    "loop",
  );
  for (const place of places) {
    for (const name of ["constructor", "__proto__", "prototype", "toString"]) {
      if (place === "messages[0]" && name === "__proto__") continue;
      const source = `{{ ${place}.${name} is defined }}`;
      assertEquals(render(source), "false", source);
    }
  }
  for (const name of ["Deno", "globalThis", "self", "eval", "Function"]) {
    assertEquals(render(`{{ ${name} is defined }}`), "false");
  }
  assertThrows(() => render("{{ ''.constructor.constructor('1')() }}"), Error);
  assertEquals(({} as { evil?: number }).evil, undefined);
});
