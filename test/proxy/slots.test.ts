import { describe, expect, it } from "vitest";

import { createSlots } from "../../src/proxy/slots.ts";
import type { Guest } from "../../src/proxy/slots.ts";

describe("createSlots", () => {
  it("admits in the order of arrival, skips who left, and a slot is given back once", () => {
    const slots = createSlots(1);
    const ran: number[] = [];
    const guests = [1, 2, 3, 4].map((name): Guest => ({ place: "outside", start: () => void ran.push(name) }));
    const [first, second, third] = guests as [Guest, Guest, Guest];
    for (const guest of guests) slots.enter(guest);
    slots.leave(second);
    slots.leave(first);
    slots.leave(first);
    expect(ran).toEqual([1, 3]);
    slots.leave(third);
    expect(ran).toEqual([1, 3, 4]);
  });
});
