import { expect, test, vi } from "vitest";
import { patiently, type Surroundings } from "../src/lib/fetched";

function surroundings(given: Partial<Surroundings> = {}) {
  return {
    isThere: vi.fn(async () => true),
    wait: vi.fn(async () => {}),
    beginAgain: vi.fn(() => true),
    ...given,
  };
}

function failing(times: number) {
  let left = times;
  return vi.fn(async () => {
    if (left-- > 0) throw new Error("not fetched");
    return "part";
  });
}

test("what is there is fetched once and nobody is asked", async () => {
  const around = surroundings();
  const load = failing(0);
  expect(await patiently(load, around)).toBe("part");
  expect(load).toHaveBeenCalledTimes(1);
  expect(around.isThere).not.toHaveBeenCalled();
});

test("a server that is away is waited for, and the page stays", async () => {
  const answers = [false, false, true];
  const around = surroundings({ isThere: vi.fn(async () => answers.shift() ?? true) });
  expect(await patiently(failing(3), around)).toBe("part");
  expect(around.wait).toHaveBeenCalledTimes(3);
  expect(around.beginAgain).not.toHaveBeenCalled();
});

test("a server without the part is another version: the page begins again", async () => {
  const around = surroundings();
  const ended = vi.fn();
  patiently(failing(9), around).then(ended, ended);
  await vi.waitFor(() => expect(around.beginAgain).toHaveBeenCalledTimes(1));
  expect(ended).not.toHaveBeenCalled();
});

test("when beginning again did not help, the fault is told", async () => {
  const around = surroundings({ beginAgain: () => false });
  await expect(patiently(failing(9), around)).rejects.toThrow("not fetched");
});
