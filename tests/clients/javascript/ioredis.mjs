// The cluster client of ioredis, for the story that the tests tell.

import { Cluster } from "ioredis";
import calculateSlot from "cluster-key-slot";
import { answer } from "./answers.mjs";

let client;
const heard = [];

// The connection that commands for this key go through.
function nodeOf(key) {
  const [master] = client.slots[calculateSlot(key)];
  return client.nodes("master").find(({ options }) => `${options.host}:${options.port}` === master);
}

await answer({
  async open(port) {
    client = new Cluster([{ host: "127.0.0.1", port }], { shardedSubscribers: true });
    client.on("error", () => {}); // commands fail by themselves
    client.on("message", (channel, message) => heard.push([channel, message]));
    client.on("smessage", (channel, message) => heard.push([channel, message]));
    await client.ping();
  },
  set: (key, value) => client.set(key, value),
  get: (key) => client.get(key),
  async pipelined(pairs) {
    // All keys of a pipeline must be at one node.
    const nodes = new Map();
    for (const [key, value] of pairs) {
      const node = client.slots[calculateSlot(key)][0];
      if (!nodes.has(node)) nodes.set(node, client.pipeline());
      nodes.get(node).set(key, value).get(key);
    }
    const results = await Promise.all([...nodes.values()].map((pipeline) => pipeline.exec()));
    const failed = results.flat().find(([error]) => error);
    if (failed) throw failed[0];
    return results.flat().length;
  },
  mset: (pairs) => client.mset(pairs.flat()),
  mget: (keys) => client.mget(keys),
  subscribe: (channel, sharded) =>
    sharded ? client.ssubscribe(channel) : client.subscribe(channel),
  publish: (channel, message, sharded) =>
    sharded ? client.spublish(channel, message) : client.publish(channel, message),
  heard: () => heard,
  async scan(match) {
    let count = 0;
    for (const node of client.nodes("master")) {
      for await (const keys of node.scanStream({ match, count: 100 })) count += keys.length;
    }
    return count;
  },
  confirm: (key) => nodeOf(key).wait(1, 200),
  close: () => client.disconnect(),
});
