// `start`, and what happens without any command.
import { serve } from "../serve.ts";
import { loadSettings } from "../settings.ts";
import type { Command } from "../context.ts";

export const start: Command = async (context, args) => serve(context, args, loadSettings(context, args));
