import { beforeEach, describe, expect, it, vi } from "vitest";
import { NotFiled } from "../../src/referral";
import type { Row } from "../../src/referral/store";

// What lies on the device, without a database; each read and write takes its turn, as those of IndexedDB do.
const device = new Map<string, Row>();
const turn = (): Promise<void> => new Promise((done) => setTimeout(done));
vi.mock("../../src/referral/store", () => ({
  readAll: async () => (await turn(), structuredClone([...device.values()])),
  deviceToken: async () => "poxd_token",
  change: async (id: string, with_: Partial<Row>) => {
    await turn();
    const row = device.get(id);
    if (row) device.set(id, { ...row, ...with_ });
  },
  filed: async (id: string, code: string, tries: number) => {
    await turn();
    const row = device.get(id);
    if (row) device.set(id, { ...row, load: null, waiting: false, code, tries });
  },
}));
vi.mock("../../src/referral/pause", () => ({ pause: () => 3_600_000 })); // an hour: no test waits for it
const asked: { id: string; answer: (code: string) => void; fail: (why: unknown) => void; stop: AbortSignal }[] = [];
vi.mock("../../src/referral", async (original) => ({
  ...(await original<typeof import("../../src/referral")>()),
  refer: (_origin: string, _token: string, { id }: { id: string }, stop: AbortSignal) =>
    new Promise<string>((answer, fail) => asked.push({ id, answer, fail, stop })),
}));

const waits = (id: string, with_: Partial<Row> = {}): Row => ({
  id, at: 1, tries: 0, next: 0, stopped: null, detail: "", waiting: true, code: null, locked: false,
  load: { json: "{}", photos: [], training: false, person: "" }, ...with_,
});

const until = (done: () => boolean): Promise<void> => vi.waitFor(() => expect(done()).toBe(true), { timeout: 20_000 });

describe("sending", async () => {
  Object.assign(globalThis, { document: new EventTarget(), addEventListener: () => undefined });
  const { begin, halt, hurry } = await import("../../src/referral/sender");

  beforeEach(() => {
    halt();
    device.clear();
    asked.length = 0;
  });

  it("tries again at once when somebody asks while a try is still under way", async () => {
    device.set("a", waits("a"));
    begin("https://clinic.example");
    await until(() => asked.length === 1);
    const tried = hurry(); // the network is back, and the first try does not know yet that it is lost
    asked[0]!.fail(new NotFiled("offline", "gone"));
    await until(() => asked.length === 2); // not after the pause
    asked[1]!.answer("CODE-1");
    await tried;
    expect(device.get("a")).toMatchObject({ code: "CODE-1", load: null });
  });

  it("does not forget a code that comes while somebody asks for another try", async () => {
    device.set("a", waits("a"));
    begin("https://clinic.example");
    await until(() => asked.length === 1);
    const tried = Promise.all([hurry(), hurry(), hurry()]);
    asked[0]!.answer("CODE-2");
    await tried;
    expect(device.get("a")).toMatchObject({ code: "CODE-2", load: null });
    expect(asked.length).toBe(1);
  });

  it("waits before the next try, and longer after a refusal, until somebody asks", async () => {
    device.set("a", waits("a"));
    device.set("b", waits("b", { stopped: "token", tries: 1 }));
    device.set("c", waits("c", { stopped: "refused", tries: 1 }));
    device.set("d", waits("d", { load: null, locked: true }));
    begin("https://clinic.example");
    await until(() => asked.length === 1);
    const before = Date.now();
    asked[0]!.fail(new NotFiled("busy", "503"));
    await until(() => device.get("a")!.tries === 1);
    expect(device.get("a")!.next - before).toBeGreaterThanOrEqual(3_600_000);
    const tried = hurry();
    await until(() => asked.length === 2);
    asked[1]!.answer("CODE-A");
    await until(() => asked.length === 3);
    expect(asked[2]!.id).toBe("b");
    asked[2]!.fail(new NotFiled("token", "401"));
    await tried;
    expect(asked.map(({ id }) => id)).toEqual(["a", "a", "b"]);
    expect(device.get("b")).toMatchObject({ stopped: "token", tries: 2 });
  });

  it("sends nothing more once everything is wiped", async () => {
    device.set("a", waits("a"));
    begin("https://clinic.example");
    await until(() => asked.length === 1);
    halt();
    device.clear();
    expect(asked[0]!.stop.aborted).toBe(true);
    asked[0]!.fail(new NotFiled("offline", "stopped"));
    await hurry();
    expect(device.size).toBe(0);
    expect(asked.length).toBe(1);
  });
});
