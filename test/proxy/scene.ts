// One client, the forwarder and one raw upstream, taken down after every test.
import { afterEach } from "vitest";
import type { Socket } from "node:net";

import { openHarness } from "./harness.ts";
import type { Harness, HarnessOptions } from "./harness.ts";
import { openRawClient } from "./raw-client.ts";
import type { RawClient } from "./raw-client.ts";
import { openRawUpstream } from "./raw-upstream.ts";
import type { RawAnswer, RawUpstream } from "./raw-upstream.ts";

export type Scene = { readonly client: RawClient; readonly harness: Harness; readonly upstream: RawUpstream };

export type SceneOptions = Partial<HarnessOptions> & { readonly onBytes?: (socket: Socket, seen: Buffer) => void };

/** Opens scenes and closes them after each test; closing fails when something is left behind. */
export const useScenes = () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });
  return async (answer: RawAnswer, { onBytes, ...options }: SceneOptions = {}): Promise<Scene> => {
    const upstream = await openRawUpstream(answer, onBytes);
    closing.push(upstream.close);
    const harness = await openHarness({ baseUrl: upstream.baseUrl, ...options });
    closing.push(harness.close);
    const client = await openRawClient(harness.port);
    return { client, harness, upstream };
  };
};
