import { describe, expect, test } from "vitest";
import { own, setOwn, table } from "./own.ts";

describe.each(["constructor", "toString", "__proto__"])("%s", (name) => {
  test("is in no map that does not have it", () => {
    expect(own({ a: 1 }, name)).toBeUndefined();
    expect(own(undefined, name)).toBeUndefined();
    expect(table({ a: 1 })[name]).toBeUndefined();
  });

  test("is a key like others where it was set", () => {
    const map: Record<string, unknown> = {};
    setOwn(map, name, "v");
    expect(own(map, name)).toBe("v");
    expect(JSON.stringify(map)).toBe(`{"${name}":"v"}`);
  });
});

test("what a table has is found", () => {
  expect(table({ a: 1 })["a"]).toBe(1);
});
