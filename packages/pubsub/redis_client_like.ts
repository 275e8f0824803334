/** As much of an ioredis connection as publishing uses; a `Redis` or a `Cluster` is one. */
export interface RedisPublishClient {
  publish(channel: string, message: string): Promise<number>;
}

/** As much of an ioredis connection as subscribing uses; a `Redis` or a `Cluster` is one. */
export interface RedisSubscribeClient {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: "message", listener: (channel: string, message: string) => void): unknown;
  off(event: "message", listener: (channel: string, message: string) => void): unknown;
}
