/**
 * The Lua of {@linkcode RedisLogs}. KEYS[1] is the prefix, which all keys begin with. A log's number has 16 digits and grows, so
 * that logs of one ms stay in order.
 *
 *     <prefix>logs:seq            the last number
 *     <prefix>logs:data           hash: number to log, as JSON
 *     <prefix>logs:all, <prefix>logs:key:<id>, <prefix>logs:owner:<id>     numbers, sorted by ms since the epoch
 */

/** Log as JSON, ms, key, owner. */
export const SAVE_LOG = `
local prefix, number = KEYS[1], string.format('%016d', redis.call('INCR', KEYS[1] .. 'logs:seq'))
redis.call('HSET', prefix .. 'logs:data', number, ARGV[1])
redis.call('ZADD', prefix .. 'logs:all', ARGV[2], number)
redis.call('ZADD', prefix .. 'logs:key:' .. ARGV[3], ARGV[2], number)
redis.call('ZADD', prefix .. 'logs:owner:' .. ARGV[4], ARGV[2], number)
return 0
`;

/** Index, first and last ms, offset, count. Gives numbers and logs, the newest first. */
export const READ_LOGS = `
local found = {}
local names = redis.call('ZREVRANGEBYSCORE', KEYS[1] .. 'logs:' .. ARGV[1], ARGV[3], ARGV[2], 'LIMIT', ARGV[4], ARGV[5])
for i, number in ipairs(names) do found[i] = {number, redis.call('HGET', KEYS[1] .. 'logs:data', number)} end
return found
`;

/** Triples of number, key and owner. Gives how many there were. */
export const DELETE_LOGS = `
local prefix, deleted = KEYS[1], 0
for i = 1, #ARGV, 3 do
  deleted = deleted + redis.call('HDEL', prefix .. 'logs:data', ARGV[i])
  redis.call('ZREM', prefix .. 'logs:all', ARGV[i])
  redis.call('ZREM', prefix .. 'logs:key:' .. ARGV[i + 1], ARGV[i])
  redis.call('ZREM', prefix .. 'logs:owner:' .. ARGV[i + 2], ARGV[i])
end
return deleted
`;
