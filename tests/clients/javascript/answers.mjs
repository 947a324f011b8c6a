// Requests are lines of JSON on standard input, ["name", argument, ...]. Each is carried out before
// the next is read, and answered by a line: {"value": ...} or {"error": "..."}.

import { createInterface } from "node:readline";

export async function answer(actions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...rest] = JSON.parse(line);
    let told;
    try {
      told = { value: (await actions[name](...rest)) ?? null };
    } catch (error) {
      told = { error: `${error.name}: ${error.message}` };
    }
    process.stdout.write(`${JSON.stringify(told)}\n`);
  }
  process.exit(0);
}
