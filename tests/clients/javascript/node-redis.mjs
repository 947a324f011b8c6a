// The cluster client of node-redis, for the story that the tests tell.

import { createCluster } from "redis";
import calculateSlot from "cluster-key-slot";
import { answer } from "./answers.mjs";

let client;
const heard = [];
const hear = (message, channel) => heard.push([channel, message]);

await answer({
  async open(port) {
    client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] });
    client.on("error", () => {}); // commands fail by themselves
    client.on("node-error", () => {});
    await client.connect();
  },
  set: (key, value) => client.set(key, value),
  get: (key) => client.get(key),
  async pipelined(pairs) {
    // What is asked for in one turn is sent together.
    const results = await Promise.all(
      pairs.flatMap(([key, value]) => [client.set(key, value), client.get(key)]),
    );
    return results.length;
  },
  mset: (pairs) => client.mSet(pairs),
  mget: (keys) => client.mGet(keys),
  subscribe: (channel, sharded) =>
    sharded ? client.sSubscribe(channel, hear) : client.subscribe(channel, hear),
  publish: (channel, message, sharded) =>
    sharded ? client.sPublish(channel, message) : client.publish(channel, message),
  heard: () => heard,
  async scan(match) {
    let count = 0;
    for (const master of client.masters) {
      const node = await client.nodeClient(master);
      for await (const keys of node.scanIterator({ MATCH: match, COUNT: 100 })) count += keys.length;
    }
    return count;
  },
  async confirm(key) {
    const node = await client.nodeClient(client.slots[calculateSlot(key)].master);
    return node.wait(1, 200);
  },
  close: () => client.destroy(),
});
