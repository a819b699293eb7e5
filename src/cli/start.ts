// `start`, and what happens without any command.
import { serve } from "./serve.ts";
import { loadSettings } from "./settings.ts";
import type { Command } from "./world.ts";

export const start: Command = async (world, given) => serve(world, given, loadSettings(world, given));
