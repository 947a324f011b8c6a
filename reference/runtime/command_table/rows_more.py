"""More rows of commands, in the form that `rows` describes.

In the place of the first key there may be a keyword that goes before it and from where on the
keyword is looked for, and at the end of how many arguments left one is a key. "?" is where only the
command itself can tell.
"""

from typing import Final

MORE_NODE_ROWS: Final = """
debug -2 admin,noscript,loading,stale admin,dangerous -
bgrewriteaof 1 admin,noscript,no_async_loading admin,dangerous -
bgsave -1 admin,noscript,no_async_loading admin,dangerous -
save 1 admin,noscript,no_async_loading,no_multi admin,dangerous -
dump 2 readonly keyspace nondeterministic_output 1/0/1/RO,access
migrate -6 write keyspace,dangerous nondeterministic_output 3/0/1/RW,access,delete KEYS@-2/-1/1/RW,access,delete,incomplete
restore -4 write,denyoom keyspace,dangerous - 1/0/1/OW,update
restore-asking -4 write,denyoom,asking keyspace,dangerous - 1/0/1/OW,update
psubscribe -2 pubsub,noscript,loading,stale pubsub -
publish 3 pubsub,loading,stale,fast pubsub -
pubsub -2 - - -
pubsub|channels -2 pubsub,loading,stale pubsub -
pubsub|help 2 loading,stale - -
pubsub|numpat 2 pubsub,loading,stale pubsub -
pubsub|numsub -2 pubsub,loading,stale pubsub -
pubsub|shardchannels -2 pubsub,loading,stale pubsub -
pubsub|shardnumsub -2 pubsub,loading,stale pubsub -
punsubscribe -1 pubsub,noscript,loading,stale pubsub -
reset 1 noscript,loading,stale,fast,no_auth,allow_busy connection -
spublish 3 pubsub,loading,stale,fast pubsub - 1/0/1/not_key
ssubscribe -2 pubsub,noscript,loading,stale pubsub - 1/-1/1/not_key
subscribe -2 pubsub,noscript,loading,stale pubsub -
sunsubscribe -1 pubsub,noscript,loading,stale pubsub - 1/-1/1/not_key
unsubscribe -1 pubsub,noscript,loading,stale pubsub -
blmove 6 write,denyoom,noscript,blocking list,blocking - 1/0/1/RW,access,delete 2/0/1/RW,insert
blmpop -5 write,blocking list,blocking - 2/n/1/RW,access,delete
blpop -3 write,noscript,blocking list,blocking - 1/-2/1/RW,access,delete
brpop -3 write,noscript,blocking list,blocking - 1/-2/1/RW,access,delete
brpoplpush 4 write,denyoom,noscript,blocking list,blocking - 1/0/1/RW,access,delete 2/0/1/RW,insert
bzmpop -5 write,blocking sortedset,blocking - 2/n/1/RW,access,delete
bzpopmax -3 write,noscript,blocking,fast sortedset,blocking - 1/-2/1/RW,access,delete
bzpopmin -3 write,noscript,blocking,fast sortedset,blocking - 1/-2/1/RW,access,delete
bitfield_ro -2 readonly,fast bitmap - 1/0/1/RO,access
touch -2 readonly,fast keyspace request:multi_shard,response:agg_sum 1/-1/1/RO
xgroup -2 - - -
xgroup|create -5 write,denyoom stream - 2/0/1/RW,insert
xgroup|createconsumer 5 write,denyoom stream - 2/0/1/RW,insert
xgroup|delconsumer 5 write stream - 2/0/1/RW,delete
xgroup|destroy 4 write stream - 2/0/1/RW,delete
xgroup|setid -5 write stream - 2/0/1/RW,update
xinfo -2 - - -
xsetid -3 write,denyoom,fast stream - 1/0/1/RW,update
xinfo|consumers 4 readonly stream nondeterministic_output 2/0/1/RO,access
xinfo|groups 3 readonly stream - 2/0/1/RO,access
xinfo|stream -3 readonly stream - 2/0/1/RO,access
eval -3 noscript,stale,skip_monitor,no_mandatory_keys scripting - 2/n/1/RW,access,update
evalsha -3 noscript,stale,skip_monitor,no_mandatory_keys scripting - 2/n/1/RW,access,update
eval_ro -3 readonly,noscript,stale,skip_monitor,no_mandatory_keys scripting - 2/n/1/RO,access
evalsha_ro -3 readonly,noscript,stale,skip_monitor,no_mandatory_keys scripting - 2/n/1/RO,access
fcall -3 noscript,stale,skip_monitor,no_mandatory_keys scripting - 2/n/1/RW,access,update
fcall_ro -3 readonly,noscript,stale,skip_monitor,no_mandatory_keys scripting - 2/n/1/RO,access
function -2 - - -
function|delete 3 write,noscript scripting request:all_shards,response:all_succeeded
function|dump 2 noscript scripting -
function|flush -2 write,noscript scripting request:all_shards,response:all_succeeded
function|help 2 loading,stale scripting -
function|kill 2 noscript,allow_busy scripting request:all_shards,response:one_succeeded
function|list -2 noscript scripting nondeterministic_output_order
function|load -3 write,denyoom,noscript scripting request:all_shards,response:all_succeeded
function|restore -3 write,denyoom,noscript scripting request:all_shards,response:all_succeeded
function|stats 2 noscript,allow_busy scripting nondeterministic_output,request:all_shards,response:special
script -2 - - -
script|exists -3 noscript scripting request:all_shards,response:agg_logical_and
script|flush -2 noscript scripting request:all_nodes,response:all_succeeded
script|kill 2 noscript,allow_busy scripting request:all_shards,response:one_succeeded
script|load 3 noscript,stale scripting request:all_nodes,response:all_succeeded
acl -2 - - -
acl|cat -2 noscript,loading,stale - -
acl|deluser -3 admin,noscript,loading,stale admin,dangerous -
acl|dryrun -4 admin,noscript,loading,stale admin,dangerous -
acl|genpass -2 noscript,loading,stale - -
acl|getuser 3 admin,noscript,loading,stale admin,dangerous -
acl|help 2 loading,stale - -
acl|list 2 admin,noscript,loading,stale admin,dangerous -
acl|load 2 admin,noscript,loading,stale admin,dangerous -
acl|log -2 admin,noscript,loading,stale admin,dangerous -
acl|save 2 admin,noscript,loading,stale admin,dangerous -
acl|setuser -3 admin,noscript,loading,stale admin,dangerous -
acl|users 2 admin,noscript,loading,stale admin,dangerous -
acl|whoami 2 noscript,loading,stale - -
auth -2 noscript,loading,stale,fast,no_auth,allow_busy connection -
command|getkeysandflags -4 loading,stale connection -
client|caching 3 noscript,loading,stale connection -
client|getredir 2 noscript,loading,stale connection -
client|help 2 loading,stale connection -
client|info 2 noscript,loading,stale connection nondeterministic_output
client|kill -3 admin,noscript,loading,stale admin,dangerous,connection -
client|list -2 admin,noscript,loading,stale admin,dangerous,connection nondeterministic_output
client|no-evict 3 admin,noscript,loading,stale admin,dangerous,connection -
client|pause -3 admin,noscript,loading,stale admin,dangerous,connection -
client|reply 3 noscript,loading,stale connection -
client|tracking -3 noscript,loading,stale connection -
client|trackinginfo 2 noscript,loading,stale connection -
client|unblock -3 admin,noscript,loading,stale admin,dangerous,connection -
client|unpause 2 admin,noscript,loading,stale admin,dangerous,connection -
lolwut -1 readonly,fast - -
lastsave 1 loading,stale,fast admin,dangerous nondeterministic_output
latency -2 - - -
latency|doctor 2 admin,noscript,loading,stale admin,dangerous nondeterministic_output,request:all_nodes,response:special
latency|help 2 loading,stale - -
latency|history 3 admin,noscript,loading,stale admin,dangerous nondeterministic_output,request:all_nodes,response:special
latency|latest 2 admin,noscript,loading,stale admin,dangerous nondeterministic_output,request:all_nodes,response:special
latency|reset -2 admin,noscript,loading,stale admin,dangerous request:all_nodes,response:all_succeeded
memory -2 - - -
memory|doctor 2 - - nondeterministic_output,request:all_shards,response:special
memory|help 2 loading,stale - -
memory|malloc-stats 2 - - nondeterministic_output,request:all_shards,response:special
memory|purge 2 - - request:all_shards,response:all_succeeded
memory|stats 2 - - nondeterministic_output,request:all_shards,response:special
memory|usage -3 readonly - - 2/0/1/RO
module -2 - - -
module|help 2 loading,stale - -
module|list 2 admin,noscript admin,dangerous nondeterministic_output_order
monitor 1 admin,noscript,loading,stale admin,dangerous -
object -2 - - -
object|encoding 3 readonly keyspace nondeterministic_output 2/0/1/RO
object|freq 3 readonly keyspace nondeterministic_output 2/0/1/RO
object|help 2 loading,stale keyspace -
object|idletime 3 readonly keyspace nondeterministic_output 2/0/1/RO
object|refcount 3 readonly keyspace nondeterministic_output 2/0/1/RO
slowlog -2 - - -
slowlog|get -2 admin,loading,stale admin,dangerous request:all_nodes,nondeterministic_output
slowlog|help 2 loading,stale - -
slowlog|len 2 admin,loading,stale admin,dangerous request:all_nodes,response:agg_sum,nondeterministic_output
slowlog|reset 2 admin,loading,stale admin,dangerous request:all_nodes,response:all_succeeded
shutdown -1 admin,noscript,loading,stale,no_multi,allow_busy admin,dangerous -
"""  # noqa: E501 - a line for each
"""Commands that the node answers itself, or whose subcommands have rows, as Redis 7.0 has them."""

MORE_DATA_ROWS: Final = """
copy -3 write,denyoom keyspace - 1/0/1/RO,access 2/0/1/OW,update
geoadd -5 write,denyoom geo - 1/0/1/RW,update
geodist -4 readonly geo - 1/0/1/RO,access
geohash -2 readonly geo - 1/0/1/RO,access
geopos -2 readonly geo - 1/0/1/RO,access
georadius -6 write,denyoom geo - 1/0/1/RO,access STORE@6/0/1/OW,update STOREDIST@6/0/1/OW,update
georadius_ro -6 readonly geo - 1/0/1/RO,access
georadiusbymember -5 write,denyoom geo - 1/0/1/RO,access STORE@5/0/1/OW,update STOREDIST@5/0/1/OW,update
georadiusbymember_ro -5 readonly geo - 1/0/1/RO,access
geosearch -7 readonly geo - 1/0/1/RO,access
geosearchstore -8 write,denyoom geo - 1/0/1/OW,update 2/0/1/RO,access
hrandfield -2 readonly hash nondeterministic_output 1/0/1/RO,access
sintercard -3 readonly set - 1/n/1/RO,access
sort -2 write,denyoom set,sortedset,list,dangerous - 1/0/1/RO,access ?/RO,access ?/OW,update
sort_ro -2 readonly set,sortedset,list,dangerous - 1/0/1/RO,access ?/RO,access
xack -4 write,fast stream - 1/0/1/RW,update
xautoclaim -6 write,fast stream nondeterministic_output 1/0/1/RW,delete
xclaim -6 write,fast stream nondeterministic_output 1/0/1/RW,update
xgroup -2 write,denyoom stream - 2/0/1/RW
xinfo -2 readonly stream - 2/0/1/RO,access
xpending -3 readonly stream nondeterministic_output 1/0/1/RO,access
xread -4 readonly,blocking stream,blocking - STREAMS@1/-1/1/RO,access/2
xreadgroup -7 write,blocking stream,blocking - STREAMS@4/-1/1/RO,access/2
zmpop -4 write sortedset - 1/n/1/RW,access,delete
zrandmember -2 readonly sortedset nondeterministic_output 1/0/1/RO,access
"""  # noqa: E501 - a line for each
"""Commands that the keyspace answers; of those with subcommands what is true of all of them."""

_RANK_ROWS: Final = """
zrank -3 readonly,fast sortedset - 1/0/1/RO,access
zrevrank -3 readonly,fast sortedset - 1/0/1/RO,access
"""

_VALKEY_ROWS: Final = """
wait 3 blocking connection,blocking request:all_shards,response:agg_min
command|getkeys -3 loading,stale connection -
command|getkeysandflags -3 loading,stale connection -
blmove 6 write,denyoom,blocking list,blocking - 1/0/1/RW,access,delete 2/0/1/RW,insert
blpop -3 write,blocking list,blocking - 1/-2/1/RW,access,delete
brpop -3 write,blocking list,blocking - 1/-2/1/RW,access,delete
brpoplpush 4 write,denyoom,blocking list,blocking - 1/0/1/RW,access,delete 2/0/1/RW,insert
bzpopmax -3 write,blocking,fast sortedset,blocking - 1/-2/1/RW,access,delete
bzpopmin -3 write,blocking,fast sortedset,blocking - 1/-2/1/RW,access,delete
client|caching 3 noscript,loading,stale,allow_busy connection -
latency|reset -2 admin,noscript,loading,stale admin,dangerous request:all_nodes,response:agg_sum
memory|malloc-stats 2 loading - nondeterministic_output,request:all_shards,response:special
memory|purge 2 loading - request:all_shards,response:all_succeeded
client|getredir 2 noscript,loading,stale,allow_busy connection -
client|no-evict 3 admin,noscript,loading,stale,allow_busy admin,dangerous,connection -
client|no-touch 3 noscript,loading,stale,allow_busy connection -
client|reply 3 noscript,loading,stale,no_multi,allow_busy connection -
"""

_VALKEY_9_ROWS: Final = """
delifeq 3 write,fast string - 1/0/1/RM,delete
hgetdel -5 write,fast hash - 1/0/1/RW,access,delete
msetex -4 write,denyoom string request:multi_shard,response:all_succeeded 1/n/2/OW,update
acl|deluser -3 admin,noscript,loading,stale admin,dangerous request:all_nodes,response:all_succeeded
acl|save 2 admin,noscript,loading,stale admin,dangerous request:all_nodes,response:all_succeeded
acl|setuser -3 admin,noscript,loading,stale admin,dangerous request:all_nodes,response:all_succeeded
script|exists -3 noscript,stale scripting request:all_shards,response:agg_logical_and
script|flush -2 noscript,stale scripting request:all_nodes,response:all_succeeded
"""

MORE_RELEASE_ROWS: Final = {
    "redis-7.0": "",
    "redis-8.0": _RANK_ROWS,
    "valkey-8.1": _RANK_ROWS + _VALKEY_ROWS,
    "valkey-9.1": _RANK_ROWS + _VALKEY_ROWS + _VALKEY_9_ROWS,
}
"""What a dialect has besides, or instead."""
