/**
 * The Lua of {@linkcode RedisStorage}: each runs as one step, so a use that is recorded beside a revocation undoes nothing, and
 * no index names what is not there. KEYS[1] is the prefix, which all keys begin with.
 *
 *     <prefix>record:<id>     hash: "hash" is the key's hash, "m:<field>" a field of its metadata as JSON
 *     <prefix>hash:<hash>     string: id
 *     <prefix>owner:<owner>, <prefix>org:<organization>, <prefix>tag:<tag>     sets of ids
 */

/** Takes a record out of its indexes, or puts it in: `redis.call(command, …)` is SREM or SADD. */
const INDEX = `
local prefix = KEYS[1]
local function index(command, id)
  local key = prefix .. 'record:' .. id
  local one = function(kind, field)
    local value = redis.call('HGET', key, 'm:' .. field)
    if value and value ~= 'null' then redis.call(command, prefix .. kind .. cjson.decode(value), id) end
  end
  one('owner:', 'ownerId')
  one('org:', 'orgId')
  local tags = redis.call('HGET', key, 'm:tags')
  if tags and tags ~= 'null' then
    for _, tag in ipairs(cjson.decode(tags)) do redis.call(command, prefix .. 'tag:' .. tag, id) end
  end
end
`;

/** Id, hash, then fields and values. Gives the id of another record with this hash, or an empty text. */
export const SAVE: string = `${INDEX}
local id, hash = ARGV[1], ARGV[2]
local key = prefix .. 'record:' .. id
local other = redis.call('GET', prefix .. 'hash:' .. hash)
if other and other ~= id then return other end
local before = redis.call('HGET', key, 'hash')
if before then
  index('SREM', id)
  redis.call('DEL', prefix .. 'hash:' .. before, key)
end
redis.call('HSET', key, 'hash', hash, unpack(ARGV, 3))
redis.call('SET', prefix .. 'hash:' .. hash, id)
index('SADD', id)
return ''
`;

/** Id, then fields and values. Nothing when there is no such record. */
export const UPDATE: string = `${INDEX}
local id = ARGV[1]
local key = prefix .. 'record:' .. id
if redis.call('EXISTS', key) == 0 then return 0 end
index('SREM', id)
redis.call('HSET', key, unpack(ARGV, 2))
index('SADD', id)
return 1
`;

/** An id. */
export const DELETE: string = `${INDEX}
for _, id in ipairs(ARGV) do
  local key = prefix .. 'record:' .. id
  local hash = redis.call('HGET', key, 'hash')
  if hash then
    index('SREM', id)
    redis.call('DEL', prefix .. 'hash:' .. hash, key)
  end
end
return 0
`;

/** An owner: the records are those that are its own when the script runs. */
export const DELETE_OF_OWNER: string = `${INDEX}
for _, id in ipairs(redis.call('SMEMBERS', prefix .. 'owner:' .. ARGV[1])) do
  local key = prefix .. 'record:' .. id
  local hash = redis.call('HGET', key, 'hash')
  index('SREM', id)
  redis.call('DEL', prefix .. 'hash:' .. hash, key)
end
return 0
`;

/** Gives id, fields and values of one record, by id. */
export const FIND_BY_ID = `
local found = redis.call('HGETALL', KEYS[1] .. 'record:' .. ARGV[1])
return #found == 0 and {} or {{ARGV[1], found}}
`;

/** The same, by hash. */
export const FIND_BY_HASH = `
local id = redis.call('GET', KEYS[1] .. 'hash:' .. ARGV[1])
return id and {{id, redis.call('HGETALL', KEYS[1] .. 'record:' .. id)}} or {}
`;

/** The same of all records in any of the indexes ("owner:<id>", "tag:<tag>" …). */
export const FIND_IN = `
local seen, found = {}, {}
for _, name in ipairs(ARGV) do
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[1] .. name)) do
    if not seen[id] then
      seen[id] = true
      found[#found + 1] = {id, redis.call('HGETALL', KEYS[1] .. 'record:' .. id)}
    end
  end
end
return found
`;
