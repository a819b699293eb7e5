import { describe, expect, it } from "vitest";

import { createSlots } from "../../src/proxy/slots.ts";

describe("createSlots", () => {
  it("admits in the order of arrival, skips who left, and a slot is given back once", () => {
    const slots = createSlots(1);
    const ran: number[] = [];
    const first = slots.enter(() => ran.push(1));
    const second = slots.enter(() => ran.push(2));
    const third = slots.enter(() => ran.push(3));
    slots.enter(() => ran.push(4));
    second.leave();
    first.leave();
    first.leave();
    expect(ran).toEqual([1, 3]);
    third.leave();
    expect(ran).toEqual([1, 3, 4]);
  });
});
