import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const script = fromFileUrl(new URL("../setup.sh", import.meta.url));

/** What setup.sh may call besides what each machine below is given. */
const TOOLS =
  "cat chmod cp env grep head install mkdir mktemp mv rm sed sh sort tail tr";

/** A deno of some version, with an adapter once `driver` lies beside it. */
const deno = (version: string) => `
case "$1" in
  --version) echo "deno ${version} (stable)" ;;
  eval) [ -e "\${0%/*}/driver" ] && echo "Test Adapter" ;;
esac`;

/** npm that has packed this deno. */
const npm = (version: string) => `
folder="$3/node_modules/@deno/linux-x64-glibc"
mkdir -p "$folder" && cat >"$folder/deno" <<'END'
#!/bin/sh${deno(version)}
END`;

/** apt-get that records what it was asked for, and whose drivers work. */
const aptGet = `
echo "$*" >>"\${0%/*}/apt.log"
: >"\${0%/*}/driver"`;

const linux = `[ "$1" = -s ] && echo Linux || echo Linux x86_64`;

/** A machine that consists of one folder, which is its whole PATH. */
class Machine implements AsyncDisposable {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Makes one with these programs, each the body of a shell script. */
  static async with(programs: Record<string, string>): Promise<Machine> {
    const machine = new Machine(await Deno.makeTempDir());
    await Deno.mkdir(join(machine.#root, "bin"));
    for (const tool of TOOLS.split(" ")) {
      const found = ["/usr/bin", "/bin"].map((folder) => join(folder, tool))
        .find((path) => exists(path));
      await Deno.symlink(found!, join(machine.#root, "bin", tool));
    }
    const all = { uname: linux, id: "echo 0", ...programs };
    for (const [name, body] of Object.entries(all)) {
      await machine.write(name, `#!/bin/sh\n${body}\n`);
    }
    return machine;
  }

  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(join(this.#root, "bin", name), text, {
      mode: 0o755,
    });
  }

  /** What lies in its folder, or null. */
  read(name: string): string | null {
    const path = join(this.#root, "bin", name);
    return exists(path) ? Deno.readTextFileSync(path) : null;
  }

  async setup(): Promise<{ code: number; said: string[] }> {
    const bin = join(this.#root, "bin");
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: [
        "-c",
        'export PATH="$1" HOME="$2" TMPDIR="$2"; exec sh "$0"',
        script,
        bin,
        this.#root,
      ],
      stdin: "null",
    }).output();
    const text = [stdout, stderr].map((b) => new TextDecoder().decode(b));
    return {
      code,
      said: text.join("").replaceAll(bin, "BIN").trim().split("\n"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#root, { recursive: true });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== null;
  } catch {
    return false;
  }
}

const READY = {
  code: 0,
  said: [
    "setup: deno 2.9.6 is BIN/deno",
    "setup: the WebGPU adapter is Test Adapter",
    "setup: ready",
  ],
};

Deno.test("setup.sh is sound shell", async () => {
  const { code } = await new Deno.Command("sh", { args: ["-n", script] })
    .output();
  assertEquals(code, 0);
});

Deno.test("a ready machine is left as it is", async () => {
  await using machine = await Machine.with({
    deno: deno("2.9.6"),
    driver: "",
    npm: "exit 1",
    "apt-get": aptGet,
  });
  assertEquals(await machine.setup(), READY);
  assertEquals(machine.read("apt.log"), null);
});

Deno.test("a bare machine gets Deno and a driver, once", async () => {
  await using machine = await Machine.with({
    npm: npm("2.9.6"),
    "apt-get": aptGet,
  });
  const { code, said } = await machine.setup();
  assertEquals(code, 0, said.join("\n"));
  assertStringIncludes(said.join("\n"), "installed deno 2.9.6 in BIN");
  assertEquals(
    machine.read("apt.log"),
    "-qq install -y libvulkan1 mesa-vulkan-drivers\n",
  );

  assertEquals(await machine.setup(), READY);
  assertEquals(machine.read("apt.log")?.split("\n").length, 2);
});

Deno.test("an old Deno is replaced where it stands", async () => {
  await using machine = await Machine.with({
    deno: deno("2.7.14"),
    driver: "",
    npm: npm("2.9.6"),
  });
  assertEquals((await machine.setup()).code, 0);
  assertEquals(await machine.setup(), READY);
});

Deno.test("2.10 is newer than 2.8", async () => {
  await using machine = await Machine.with({
    deno: deno("2.10.0"),
    driver: "",
  });
  assertEquals((await machine.setup()).code, 0);
});

Deno.test("without root it names the command for an administrator", async () => {
  await using machine = await Machine.with({
    deno: deno("2.9.6"),
    "apt-get": aptGet,
    id: "echo 1000",
    sudo: "exit 1",
  });
  const { code, said } = await machine.setup();
  assertEquals(code, 1);
  assertEquals(said.slice(2), [
    "setup: they need root: ask an administrator to run:",
    "setup:   apt-get update && apt-get install -y libvulkan1 mesa-vulkan-drivers",
    "setup: not ready yet: no Vulkan driver",
  ]);
  assertEquals(machine.read("apt.log"), null);
});

Deno.test("a sudo that asks nothing is as good as root", async () => {
  await using machine = await Machine.with({
    deno: deno("2.9.6"),
    "apt-get": aptGet,
    id: "echo 1000",
    sudo: 'shift; "$@"',
  });
  assertEquals((await machine.setup()).code, 0);
});

Deno.test("a machine that cannot fetch Deno is told why", async (t) => {
  const cases: [why: string, Record<string, string>, said: string][] = [
    ["no npm and no curl", {}, "neither npm nor curl"],
    [
      "no registry",
      { npm: "echo npm error code ECONNREFUSED >&2; exit 1" },
      "npm cannot fetch Deno: code ECONNREFUSED",
    ],
    [
      "no network",
      { unzip: "", curl: 'echo "curl: (6) no host" >&2; exit 6' },
      "curl cannot fetch Deno: curl: (6) no host",
    ],
    ["another system", { uname: "echo Plan9 mips" }, "no Deno for Plan9 mips"],
    [
      "a program for another machine",
      { npm: npm("x").replace(/case[^]*esac/, "echo no such loader; exit 1") },
      "the fetched Deno does not run here: no such loader",
    ],
  ];
  for (const [why, programs, message] of cases) {
    await t.step(why, async () => {
      await using machine = await Machine.with(programs);
      const { code, said } = await machine.setup();
      assertEquals(code, 1);
      assertStringIncludes(said.at(-1)!, message);
      assertEquals(machine.read("deno"), null);
    });
  }
});
