// The library face: what a program may import from "claude-oauth-proxy".
export { AppError } from "./messages/errors.ts";
