"""The commands a node serves, a row for each, and what of them depends on the dialect."""

from typing import Final

# Name, arity, flags, categories, tips ("request:" is request_policy, "response:" is
# response_policy), then one word for each key specification: first key / last key / step / flags,
# where the last key counts from the first, or from the end if it is negative, and "n" means that
# the first argument says how many keys follow it. "-" is nothing.
NODE_ROWS: Final = """
ping -1 fast connection request:all_shards,response:all_succeeded
echo 2 loading,stale,fast connection -
quit -1 noscript,loading,stale,fast,no_auth,allow_busy connection -
hello -1 noscript,loading,stale,fast,no_auth,allow_busy connection -
select 2 loading,stale,fast connection -
asking 1 fast connection -
readonly 1 loading,stale,fast connection -
readwrite 1 loading,stale,fast connection -
multi 1 noscript,loading,stale,fast,allow_busy transaction -
exec 1 noscript,loading,stale,skip_slowlog transaction -
discard 1 noscript,loading,stale,fast,allow_busy transaction -
watch -2 noscript,loading,stale,fast,allow_busy transaction - 1/-1/1/RO
unwatch 1 noscript,loading,stale,fast,allow_busy transaction -
replconf -1 admin,noscript,loading,stale,allow_busy admin,dangerous -
psync -3 admin,noscript,no_async_loading,no_multi admin,dangerous -
sync 1 admin,noscript,no_async_loading,no_multi admin,dangerous -
wait 3 noscript connection request:all_shards,response:agg_min
role 1 noscript,loading,stale,fast admin,dangerous -
replicaof 3 admin,noscript,stale,no_async_loading admin,dangerous -
slaveof 3 admin,noscript,stale,no_async_loading admin,dangerous -
info -1 loading,stale dangerous nondeterministic_output,request:all_shards,response:special
client -2 - - -
client|id 2 noscript,loading,stale connection -
client|getname 2 noscript,loading,stale connection -
client|setname 3 noscript,loading,stale connection -
command -1 loading,stale connection nondeterministic_output_order
command|count 2 loading,stale connection -
command|docs -2 loading,stale connection nondeterministic_output_order
command|getkeys -4 loading,stale connection -
command|info -2 loading,stale connection nondeterministic_output_order
command|list -2 loading,stale connection nondeterministic_output_order
config -2 - - -
config|get -3 admin,noscript,loading,stale admin,dangerous -
config|resetstat 2 admin,noscript,loading,stale admin,dangerous -
config|rewrite 2 admin,noscript,loading,stale admin,dangerous -
config|set -4 admin,noscript,loading,stale admin,dangerous request:all_nodes,response:all_succeeded
cluster -2 - - -
cluster|addslots -3 admin,stale,no_async_loading admin,dangerous -
cluster|addslotsrange -4 admin,stale,no_async_loading admin,dangerous -
cluster|bumpepoch 2 admin,stale,no_async_loading admin,dangerous nondeterministic_output
cluster|count-failure-reports 3 admin,stale admin,dangerous nondeterministic_output
cluster|countkeysinslot 3 stale - -
cluster|delslots -3 admin,stale,no_async_loading admin,dangerous -
cluster|delslotsrange -4 admin,stale,no_async_loading admin,dangerous -
cluster|failover -2 admin,stale,no_async_loading admin,dangerous -
cluster|flushslots 2 admin,stale,no_async_loading admin,dangerous -
cluster|forget 3 admin,stale,no_async_loading admin,dangerous -
cluster|getkeysinslot 4 stale - nondeterministic_output
cluster|help 2 loading,stale - -
cluster|info 2 stale - nondeterministic_output
cluster|keyslot 3 stale - -
cluster|links 2 stale - nondeterministic_output
cluster|meet -4 admin,stale,no_async_loading admin,dangerous -
cluster|myid 2 stale - -
cluster|nodes 2 stale - nondeterministic_output
cluster|replicas 3 admin,stale admin,dangerous nondeterministic_output
cluster|replicate 3 admin,stale,no_async_loading admin,dangerous -
cluster|reset -2 admin,noscript,stale admin,dangerous -
cluster|saveconfig 2 admin,stale,no_async_loading admin,dangerous -
cluster|set-config-epoch 3 admin,stale,no_async_loading admin,dangerous -
cluster|setslot -4 admin,stale,no_async_loading admin,dangerous -
cluster|shards 2 stale - nondeterministic_output
cluster|slaves 3 admin,stale admin,dangerous nondeterministic_output
cluster|slots 2 stale - nondeterministic_output
"""
"""The commands that the node answers itself, as Redis 7.0 has them."""

_REDIS_7_2_ROWS: Final = """
client|setinfo 4 noscript,loading,stale connection request:all_nodes,response:all_succeeded
cluster|myshardid 2 stale - nondeterministic_output
cluster|shards 2 loading,stale - nondeterministic_output
cluster|slots 2 loading,stale - nondeterministic_output
"""

_VALKEY_8_ROWS: Final = f"""{_REDIS_7_2_ROWS}
multi 1 noscript,loading,stale,fast,no_multi,allow_busy transaction -
watch -2 noscript,loading,stale,fast,no_multi,allow_busy transaction - 1/-1/1/RO
cluster|info 2 loading,stale - nondeterministic_output
cluster|myid 2 loading,stale - -
cluster|myshardid 2 loading,stale - nondeterministic_output
cluster|nodes 2 loading,stale - nondeterministic_output
cluster|setslot -4 admin,stale,no_async_loading,may_replicate admin,dangerous -
cluster|slot-stats -4 loading,stale - nondeterministic_output,request:all_shards
config|resetstat 2 admin,noscript,loading,stale admin,dangerous request:all_nodes,response:all_succeeded
config|rewrite 2 admin,noscript,loading,stale admin,dangerous request:all_nodes,response:all_succeeded
"""  # noqa: E501 - a line for each

_VALKEY_9_ROWS: Final = f"""{_VALKEY_8_ROWS}
exec 1 noscript,loading,stale,skip_commandlog transaction -
select 2 loading,stale,fast,allow_busy connection -
client|id 2 noscript,loading,stale,allow_busy connection -
client|getname 2 noscript,loading,stale,allow_busy connection -
client|setname 3 noscript,loading,stale,allow_busy connection request:all_nodes,response:all_succeeded
client|setinfo 4 noscript,loading,stale,allow_busy connection request:all_nodes,response:all_succeeded
cluster|cancelslotmigrations 2 admin,stale,no_async_loading admin,dangerous -
cluster|flushslot -3 write,admin,no_async_loading keyspace,admin,dangerous -
cluster|getslotmigrations 2 admin,stale,no_async_loading admin,dangerous -
cluster|migrateslots -4 admin,stale,no_async_loading admin,dangerous -
cluster|replicate -3 admin,stale,no_async_loading admin,dangerous -
cluster|setslot -4 admin,stale,no_async_loading admin,dangerous -
cluster|syncslots -3 admin,stale,no_async_loading admin,dangerous -
"""  # noqa: E501 - a line for each

RELEASE_ROWS: Final = {
    "redis-7.0": "",
    "redis-8.0": _REDIS_7_2_ROWS,
    "valkey-8.1": _VALKEY_8_ROWS,
    "valkey-9.1": _VALKEY_9_ROWS,
}
"""What a dialect has besides, or instead; of two rows with one name the later one counts."""

DATA_ROWS: Final = """
get 2 readonly,fast string - 1/0/1/RO,access
set -3 write,denyoom string - 1/0/1/RW,access,update,variable_flags
del -2 write keyspace request:multi_shard,response:agg_sum 1/-1/1/RM,delete
exists -2 readonly,fast keyspace request:multi_shard,response:agg_sum 1/-1/1/RO
incr 2 write,denyoom,fast string - 1/0/1/RW,access,update
decr 2 write,denyoom,fast string - 1/0/1/RW,access,update
incrby 3 write,denyoom,fast string - 1/0/1/RW,access,update
decrby 3 write,denyoom,fast string - 1/0/1/RW,access,update
incrbyfloat 3 write,denyoom,fast string - 1/0/1/RW,access,update
append 3 write,denyoom,fast string - 1/0/1/RW,insert
strlen 2 readonly,fast string - 1/0/1/RO
getrange 4 readonly string - 1/0/1/RO,access
setrange 4 write,denyoom string - 1/0/1/RW,update
setnx 3 write,denyoom,fast string - 1/0/1/OW,insert
setex 4 write,denyoom string - 1/0/1/OW,update
psetex 4 write,denyoom string - 1/0/1/OW,update
getset 3 write,denyoom,fast string - 1/0/1/RW,access,update
getdel 2 write,fast string - 1/0/1/RW,access,delete
getex -2 write,fast string - 1/0/1/RW,access,update
mget -2 readonly,fast string request:multi_shard 1/-1/1/RO,access
mset -3 write,denyoom string request:multi_shard,response:all_succeeded 1/-1/2/OW,update
msetnx -3 write,denyoom string request:multi_shard,response:agg_min 1/-1/2/OW,insert
substr 4 readonly string - 1/0/1/RO,access
lcs -3 readonly string - 1/1/1/RO,access
unlink -2 write,fast keyspace request:multi_shard,response:agg_sum 1/-1/1/RM,delete
type 2 readonly,fast keyspace - 1/0/1/RO
expire -3 write,fast keyspace - 1/0/1/RW,update
pexpire -3 write,fast keyspace - 1/0/1/RW,update
expireat -3 write,fast keyspace - 1/0/1/RW,update
pexpireat -3 write,fast keyspace - 1/0/1/RW,update
expiretime 2 readonly,fast keyspace - 1/0/1/RO,access
pexpiretime 2 readonly,fast keyspace - 1/0/1/RO,access
persist 2 write,fast keyspace - 1/0/1/RW,update
ttl 2 readonly,fast keyspace nondeterministic_output 1/0/1/RO,access
pttl 2 readonly,fast keyspace nondeterministic_output 1/0/1/RO,access
rename 3 write keyspace - 1/0/1/RW,access,delete 2/0/1/OW,update
renamenx 3 write,fast keyspace - 1/0/1/RW,access,delete 2/0/1/OW,insert
hset -4 write,denyoom,fast hash - 1/0/1/RW,update
hsetnx 4 write,denyoom,fast hash - 1/0/1/RW,insert
hget 3 readonly,fast hash - 1/0/1/RO,access
hmset -4 write,denyoom,fast hash - 1/0/1/RW,update
hmget -3 readonly,fast hash - 1/0/1/RO,access
hgetall 2 readonly hash nondeterministic_output_order 1/0/1/RO,access
hdel -3 write,fast hash - 1/0/1/RW,delete
hexists 3 readonly,fast hash - 1/0/1/RO
hincrby 4 write,denyoom,fast hash - 1/0/1/RW,access,update
hincrbyfloat 4 write,denyoom,fast hash - 1/0/1/RW,access,update
hkeys 2 readonly hash nondeterministic_output_order 1/0/1/RO,access
hvals 2 readonly hash nondeterministic_output_order 1/0/1/RO,access
hlen 2 readonly,fast hash - 1/0/1/RO
hstrlen 3 readonly,fast hash - 1/0/1/RO
hscan -3 readonly hash nondeterministic_output 1/0/1/RO,access
lpush -3 write,denyoom,fast list - 1/0/1/RW,insert
rpush -3 write,denyoom,fast list - 1/0/1/RW,insert
lpushx -3 write,denyoom,fast list - 1/0/1/RW,insert
rpushx -3 write,denyoom,fast list - 1/0/1/RW,insert
lpop -2 write,fast list - 1/0/1/RW,access,delete
rpop -2 write,fast list - 1/0/1/RW,access,delete
llen 2 readonly,fast list - 1/0/1/RO
lindex 3 readonly list - 1/0/1/RO,access
lset 4 write,denyoom list - 1/0/1/RW,update
linsert 5 write,denyoom list - 1/0/1/RW,insert
lrange 4 readonly list - 1/0/1/RO,access
lrem 4 write list - 1/0/1/RW,delete
ltrim 4 write list - 1/0/1/RW,delete
lpos -3 readonly list - 1/0/1/RO,access
lmove 5 write,denyoom list - 1/0/1/RW,access,delete 2/0/1/RW,insert
rpoplpush 3 write,denyoom list - 1/0/1/RW,access,delete 2/0/1/RW,insert
lmpop -4 write list - 1/n/1/RW,access,delete
sadd -3 write,denyoom,fast set - 1/0/1/RW,insert
srem -3 write,fast set - 1/0/1/RW,delete
scard 2 readonly,fast set - 1/0/1/RO
sismember 3 readonly,fast set - 1/0/1/RO
smismember -3 readonly,fast set - 1/0/1/RO,access
smembers 2 readonly set nondeterministic_output_order 1/0/1/RO,access
spop -2 write,fast set nondeterministic_output 1/0/1/RW,access,delete
srandmember -2 readonly set nondeterministic_output 1/0/1/RO,access
smove 4 write,fast set - 1/0/1/RW,access,delete 2/0/1/RW,insert
sinter -2 readonly set nondeterministic_output_order 1/-1/1/RO,access
sinterstore -3 write,denyoom set - 1/0/1/RW,update 2/-1/1/RO,access
sunion -2 readonly set nondeterministic_output_order 1/-1/1/RO,access
sunionstore -3 write,denyoom set - 1/0/1/OW,update 2/-1/1/RO,access
sdiff -2 readonly set nondeterministic_output_order 1/-1/1/RO,access
sdiffstore -3 write,denyoom set - 1/0/1/OW,update 2/-1/1/RO,access
sscan -3 readonly set nondeterministic_output 1/0/1/RO,access
zadd -4 write,denyoom,fast sortedset - 1/0/1/RW,update
zrem -3 write,fast sortedset - 1/0/1/RW,delete
zcard 2 readonly,fast sortedset - 1/0/1/RO
zcount 4 readonly,fast sortedset - 1/0/1/RO,access
zscore 3 readonly,fast sortedset - 1/0/1/RO,access
zmscore -3 readonly,fast sortedset - 1/0/1/RO,access
zincrby 4 write,denyoom,fast sortedset - 1/0/1/RW,access,update
zrank 3 readonly,fast sortedset - 1/0/1/RO,access
zrevrank 3 readonly,fast sortedset - 1/0/1/RO,access
zrange -4 readonly sortedset - 1/0/1/RO,access
zrevrange -4 readonly sortedset - 1/0/1/RO,access
zrangebyscore -4 readonly sortedset - 1/0/1/RO,access
zrevrangebyscore -4 readonly sortedset - 1/0/1/RO,access
zrangebylex -4 readonly sortedset - 1/0/1/RO,access
zrevrangebylex -4 readonly sortedset - 1/0/1/RO,access
zlexcount 4 readonly,fast sortedset - 1/0/1/RO,access
zpopmin -2 write,fast sortedset - 1/0/1/RW,access,delete
zpopmax -2 write,fast sortedset - 1/0/1/RW,access,delete
zremrangebyrank 4 write sortedset - 1/0/1/RW,delete
zremrangebyscore 4 write sortedset - 1/0/1/RW,delete
zremrangebylex 4 write sortedset - 1/0/1/RW,delete
zscan -3 readonly sortedset nondeterministic_output 1/0/1/RO,access
zrangestore -5 write,denyoom sortedset - 1/0/1/OW,update 2/0/1/RO,access
zunion -3 readonly sortedset - 1/n/1/RO,access
zunionstore -4 write,denyoom sortedset - 1/0/1/OW,update 2/n/1/RO,access
zinter -3 readonly sortedset - 1/n/1/RO,access
zinterstore -4 write,denyoom sortedset - 1/0/1/OW,update 2/n/1/RO,access
zintercard -3 readonly sortedset - 1/n/1/RO,access
zdiff -3 readonly sortedset - 1/n/1/RO,access
zdiffstore -4 write,denyoom sortedset - 1/0/1/OW,update 2/n/1/RO,access
setbit 4 write,denyoom bitmap - 1/0/1/RW,access,update
getbit 3 readonly,fast bitmap - 1/0/1/RO,access
bitcount -2 readonly bitmap - 1/0/1/RO,access
bitpos -3 readonly bitmap - 1/0/1/RO,access
bitop -4 write,denyoom bitmap - 2/0/1/OW,update 3/-1/1/RO,access
bitfield -2 write,denyoom bitmap - 1/0/1/RW,access,update,variable_flags
pfadd -2 write,denyoom,fast hyperloglog - 1/0/1/RW,insert
pfcount -2 readonly hyperloglog - 1/-1/1/RW,access
pfmerge -2 write,denyoom hyperloglog - 1/0/1/RW,access,insert 2/-1/1/RO,access
xadd -5 write,denyoom,fast stream nondeterministic_output 1/0/1/RW,update
xlen 2 readonly,fast stream - 1/0/1/RO
xrange -4 readonly stream - 1/0/1/RO,access
xrevrange -4 readonly stream - 1/0/1/RO,access
xdel -3 write,fast stream - 1/0/1/RW,delete
xtrim -4 write stream nondeterministic_output 1/0/1/RW,delete
scan -2 readonly keyspace nondeterministic_output,request:special
keys 2 readonly keyspace,dangerous request:all_shards,nondeterministic_output_order
randomkey 1 readonly keyspace request:all_shards,nondeterministic_output
dbsize 1 readonly,fast keyspace request:all_shards,response:agg_sum
flushall -1 write keyspace,dangerous request:all_shards,response:all_succeeded
flushdb -1 write keyspace,dangerous request:all_shards,response:all_succeeded
time 1 loading,stale,fast - nondeterministic_output
"""
"""The commands that the keyspace answers, the same in every dialect."""
