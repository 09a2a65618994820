"""The Lua that runs inside Redis, where reading, deciding and writing one row is atomic.

Lua compares strings by the server's locale and knows only doubles, so order keys are compared as four
unsigned 32-bit pieces. Equality of strings is exact.
"""

from dataclasses import dataclass
from hashlib import sha1

from store_adapters.model import WriteResult


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the name under which Redis keeps it once loaded."""

    text: str
    sha: str


def _script(text: str) -> Script:
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


RESULTS = (WriteResult.OLDER, WriteResult.UNCHANGED, WriteResult.WRITTEN)

# KEYS: records. ARGV: view, its expiry field, run number (8 bytes as in a row), then per record the row and
# when it expires (milliseconds, "" for never). Replies an index into RESULTS per record.
# The rules are those of writing.decide and writing.expiry_after; GT leaves a permanent record permanent.
WRITE = _script("""
local view, due_field, run = ARGV[1], ARGV[2], ARGV[3]
local replies = {}
for i, key in ipairs(KEYS) do
  local row, due = ARGV[2 * i + 2], ARGV[2 * i + 3]
  local found = redis.call('HMGET', key, view, due_field)
  local stored, stored_due = found[1], found[2]
  local puts, same, reply = true, false, 2
  if stored and #stored >= 44 then
    local a1, a2, a3, a4 = struct.unpack('>I4I4I4I4', row)
    local b1, b2, b3, b4 = struct.unpack('>I4I4I4I4', stored)
    local newer = false
    if a1 ~= b1 then newer = a1 > b1
    elseif a2 ~= b2 then newer = a2 > b2
    elseif a3 ~= b3 then newer = a3 > b3
    else newer = a4 > b4 end
    same = string.sub(row, 1, 8) == string.sub(stored, 1, 8)
      and string.sub(row, 17, 24) == string.sub(stored, 17, 24)
      and string.sub(row, 41, -5) == string.sub(stored, 41, -5)
    puts = newer and not same
    if not puts and string.sub(stored, 33, 40) ~= run then
      reply = same and 1 or 0
    end
  end
  if puts or same then
    local fresh = puts and not stored and redis.call('EXISTS', key) == 0
    if puts then redis.call('HSET', key, view, row) end
    if due == '' then
      if stored_due then redis.call('HDEL', key, due_field) end
      redis.call('PERSIST', key)
    elseif puts or stored_due then
      if not stored_due or tonumber(due) > tonumber(stored_due) then
        redis.call('HSET', key, due_field, due)
      end
      if fresh then
        redis.call('PEXPIREAT', key, due)
      else
        redis.call('PEXPIREAT', key, due, 'GT')
      end
    end
  end
  replies[i] = reply
end
return replies
""")

# KEYS: records. ARGV: now in milliseconds. Replies how many rows went, per record.
SWEEP = _script("""
local replies = {}
for i, key in ipairs(KEYS) do
  replies[i] = 0
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 1) == '!' then
      local due = tonumber(redis.call('HGET', key, field))
      if due and due <= tonumber(ARGV[1]) then
        replies[i] = replies[i] + redis.call('HDEL', key, string.sub(field, 2))
        redis.call('HDEL', key, field)
      end
    end
  end
end
return replies
""")

# KEYS: the watermarks of a project. ARGV: field, generation, microseconds. Replies 1 if it moved.
WATERMARK = _script("""
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored then
  local generation, us = string.match(stored, '^(%d+):(-?%d+)$')
  if generation then
    local held, given = tonumber(generation), tonumber(ARGV[2])
    if held > given or (held == given and tonumber(us) >= tonumber(ARGV[3])) then return 0 end
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3])
return 1
""")
