"""Which arguments each command takes, as servers tell it (COMMAND DOCS)."""

from typing import Final

# A command, and its arguments: the name, "~" and how it is shown if that differs, ":" and a letter
# for the type with the number of its key specification, "=" and the word that stands before it (or
# is it, if that is not the name in capitals), "@" and since when it exists, "!" and since when it
# is not to be used, "?" if it may be left out, "*" if there may be several, "+" if each has the
# word before it, and its parts in parentheses. A line that begins with a space goes on with the
# one before.
ARGUMENT_ROWS: Final = """
acl|cat category:s?
acl|deluser username:s*
acl|dryrun username:s command:s arg:s?*
acl|genpass bits:i?
acl|getuser username:s
acl|log operation:1?(count:i reset:t)
acl|setuser username:s rule:s?*
append key:k0 value:s
auth username:s@6.0.0? password:s
bgsave operation:1?(schedule:t@3.2.2 cancel:t@8.1.0)
bitcount key:k0 range:b?(start:i end-unit-block:b?(end:i unit:1@7.0.0?(byte:t bit:t)))
bitfield key:k0 operation:1?*(get-block:b=GET(encoding:s offset:i)
 write:b(overflow-block:1=OVERFLOW?(wrap:t sat:t fail:t)
 write-operation:1(set-block:b=SET(encoding:s offset:i value:i) incrby-block:b=INCRBY(encoding:s
 offset:i increment:i))))
bitfield_ro key:k0 get-block:b=GET?*+(encoding:s offset:i)
bitop operation:1(and:t or:t xor:t not:t) destkey:k0 key:k1*
bitpos key:k0 bit:i range:b?(start:i end-unit-block:b?(end:i unit:1@7.0.0?(byte:t bit:t)))
blmove source:k0 destination:k1 wherefrom:1(left:t right:t) whereto:1(left:t right:t) timeout:d
blmpop timeout:d numkeys:i key:k0* where:1(left:t right:t) count:i=COUNT?
blpop key:k0* timeout:d
brpop key:k0* timeout:d
brpoplpush source:k0 destination:k1 timeout:d
bzmpop timeout:d numkeys:i key:k0* where:1(min:t max:t) count:i=COUNT?
bzpopmax key:k0* timeout:d
bzpopmin key:k0* timeout:d
client|caching mode:1(yes:t no:t)
client|kill filter:1(old-format~ip:port:s!2.8.12 new-format:1*(client-id:i=ID@2.8.12?*
 client-type:1=TYPE@2.8.12?(normal:t master:t@3.2.0 primary:t@8.0.0 slave:t replica:t@5.0.0
 pubsub:t) username:s=USER? addr~ip:port:s=ADDR? laddr~ip:port:s=LADDR@6.2.0?
 skipme:1=SKIPME?(yes:t no:t) maxage:i=MAXAGE@8.0.0? name:s=NAME@9.0.0? idle:i=IDLE@9.0.0?
 flags:s=FLAGS@9.0.0? lib-name:s=LIB-NAME@9.0.0? lib-ver:s=LIB-VER@9.0.0? db:i=DB@9.0.0?
 capa:s=CAPA@9.0.0? ip:s=IP@9.0.0? not-client-type:1=NOT-TYPE@9.0.0?(normal:t master:t primary:t
 slave:t replica:t pubsub:t) not-client-id:i=NOT-ID@9.0.0?* not-username:s=NOT-USER@9.0.0?
 not-addr~ip:port:s=NOT-ADDR@9.0.0? not-laddr~ip:port:s=NOT-LADDR@9.0.0?
 not-name:s=NOT-NAME@9.0.0? not-flags:s=NOT-FLAGS@9.0.0? not-lib-name:s=NOT-LIB-NAME@9.0.0?
 not-lib-ver:s=NOT-LIB-VER@9.0.0? not-db:i=NOT-DB@9.0.0? not-capa:s=NOT-CAPA@9.0.0?
 not-ip:s=NOT-IP@9.0.0?))
client|list client-type:1=TYPE@5.0.0?(normal:t master:t replica:t pubsub:t)
 client-id:i=ID@6.2.0?* username:s=USER@8.1.0? addr~ip:port:s=ADDR@8.1.0?
 laddr~ip:port:s=LADDR@8.1.0? skipme:1=SKIPME@8.1.0?(yes:t no:t) maxage:i=MAXAGE@8.1.0?
 name:s=NAME@9.0.0? idle:i=IDLE@9.0.0? flags:s=FLAGS@9.0.0? lib-name:s=LIB-NAME@9.0.0?
 lib-ver:s=LIB-VER@9.0.0? db:i=DB@9.0.0? capa:s=CAPA@9.0.0? ip:s=IP@9.0.0?
 not-client-type:1=NOT-TYPE@9.0.0?(normal:t master:t replica:t pubsub:t)
 not-client-id:i=NOT-ID@9.0.0?* not-username:s=NOT-USER@9.0.0? not-addr~ip:port:s=NOT-ADDR@9.0.0?
 not-laddr~ip:port:s=NOT-LADDR@9.0.0? not-name:s=NOT-NAME@9.0.0? not-flags:s=NOT-FLAGS@9.0.0?
 not-lib-name:s=NOT-LIB-NAME@9.0.0? not-lib-ver:s=NOT-LIB-VER@9.0.0? not-db:i=NOT-DB@9.0.0?
 not-capa:s=NOT-CAPA@9.0.0? not-ip:s=NOT-IP@9.0.0?
client|no-evict enabled:1(on:t off:t)
client|no-touch enabled:1(on:t off:t)
client|pause timeout:i mode:1@6.2.0?(write:t all:t)
client|reply action:1(on:t off:t skip:t)
client|setinfo attr:1(libname:s=LIB-NAME libver:s=LIB-VER)
client|setname connection-name:s
client|tracking status:1(on:t off:t) client-id:i=REDIRECT? prefix:s=PREFIX?*+ bcast:t? optin:t?
 optout:t? noloop:t?
client|unblock client-id:i unblock-type:1?(timeout:t error:t)
cluster|addslots slot:i*
cluster|addslotsrange range:b*(start-slot:i end-slot:i)
cluster|count-failure-reports node-id:s
cluster|countkeysinslot slot:i
cluster|delslots slot:i*
cluster|delslotsrange range:b*(start-slot:i end-slot:i)
cluster|failover options:1?(force:t takeover:t)
cluster|flushslot slot:i flush-type:1?(async:t sync:t)
cluster|forget node-id:s
cluster|getkeysinslot slot:i count:i
cluster|keyslot key:s
cluster|meet ip:s port:i cluster-bus-port:i@4.0.0?
cluster|migrateslots migration-group:b*(slotsrange-token:t=SLOTSRANGE range:b*(start-slot:i
 end-slot:i) node-token:t=NODE node-id:s)
cluster|replicas node-id:s
cluster|replicate args:1(node-id:s no-one:b@9.0.0(no:t one:t))
cluster|reset reset-type:1?(hard:t soft:t)
cluster|set-config-epoch config-epoch:i
cluster|setslot slot:i subcommand:1(importing~node-id:s=IMPORTING migrating~node-id:s=MIGRATING
 node~node-id:s=NODE stable:t) timeout:i=TIMEOUT@8.0.0?
cluster|slaves node-id:s
cluster|slot-stats filter:1(slotsrange:b=SLOTSRANGE(start-slot:i end-slot:i)
 orderby:b=ORDERBY(metric:s limit:i=LIMIT? order:1?(asc:t desc:t)))
command|docs command-name:s?*
command|getkeys command:s arg:s?*
command|getkeysandflags command:s arg:s?*
command|info command-name:s?*
command|list filterby:1=FILTERBY?(module-name:s=MODULE category:s=ACLCAT pattern:p=PATTERN)
config|get parameter:s*
config|set data:b*(parameter:s value:s)
copy source:k0 destination:k1 destination-db:i=DB? replace:t?
decr key:k0
decrby key:k0 decrement:i
del key:k0*
delifeq key:k0 value:s
dump key:k0
echo message:s
eval script:s numkeys:i key:k0?* arg:s?*
eval_ro script:s numkeys:i key:k0?* arg:s?*
evalsha sha1:s numkeys:i key:k0?* arg:s?*
evalsha_ro sha1:s numkeys:i key:k0?* arg:s?*
exists key:k0*
expire key:k0 seconds:i condition:1@7.0.0?(nx:t xx:t gt:t lt:t)
expireat key:k0 unix-time-seconds:u condition:1@7.0.0?(nx:t xx:t gt:t lt:t)
expiretime key:k0
fcall function:s numkeys:i key:k0?* arg:s?*
fcall_ro function:s numkeys:i key:k0?* arg:s?*
flushall flush-type:1?(async:t@4.0.0 sync:t@6.2.0)
flushdb flush-type:1?(async:t@4.0.0 sync:t@6.2.0)
function|delete library-name:s
function|flush flush-type:1?(async:t sync:t)
function|list library-name-pattern:s=LIBRARYNAME? withcode:t?
function|load replace:t? function-code:s
function|restore serialized-value:s policy:1?(flush:t append:t replace:t)
geoadd key:k0 condition:1@6.2.0?(nx:t xx:t) change:t=CH@6.2.0? data:b*(longitude:d latitude:d
 member:s)
geodist key:k0 member1:s member2:s unit:1?(m:t km:t ft:t mi:t)
geohash key:k0 member:s?*
geopos key:k0 member:s?*
georadius key:k0 longitude:d latitude:d radius:d unit:1(m:t km:t ft:t mi:t) withcoord:t?
 withdist:t? withhash:t? count-block:b?(count:i=COUNT any:t@6.2.0?) order:1?(asc:t desc:t)
 store:1?(storekey~key:k1=STORE storedistkey~key:k2=STOREDIST)
georadius_ro key:k0 longitude:d latitude:d radius:d unit:1(m:t km:t ft:t mi:t) withcoord:t?
 withdist:t? withhash:t? count-block:b?(count:i=COUNT any:t@6.2.0?) order:1?(asc:t desc:t)
georadiusbymember key:k0 member:s radius:d unit:1(m:t km:t ft:t mi:t) withcoord:t? withdist:t?
 withhash:t? count-block:b?(count:i=COUNT any:t?) order:1?(asc:t desc:t)
 store:1?(storekey~key:k1=STORE storedistkey~key:k2=STOREDIST)
georadiusbymember_ro key:k0 member:s radius:d unit:1(m:t km:t ft:t mi:t) withcoord:t? withdist:t?
 withhash:t? count-block:b?(count:i=COUNT any:t?) order:1?(asc:t desc:t)
geosearch key:k0 from:1?(member:s=FROMMEMBER fromlonlat:b=FROMLONLAT(longitude:d latitude:d))
 by:1(circle:b(radius:d=BYRADIUS unit:1(m:t km:t ft:t mi:t)) box:b(width:d=BYBOX height:d
 unit:1(m:t km:t ft:t mi:t)) polygon:b@9.0.0(num-vertices:i=BYPOLYGON vertices:b*(longitude:d
 latitude:d))) order:1?(asc:t desc:t) count-block:b?(count:i=COUNT any:t?) withcoord:t?
 withdist:t? withhash:t?
geosearchstore destination:k0 source:k1 from:1?(member:s=FROMMEMBER
 fromlonlat:b=FROMLONLAT(longitude:d latitude:d)) by:1(circle:b(radius:d=BYRADIUS unit:1(m:t km:t
 ft:t mi:t)) box:b(width:d=BYBOX height:d unit:1(m:t km:t ft:t mi:t))
 polygon:b@9.0.0(num-vertices:i=BYPOLYGON vertices:b*(longitude:d latitude:d))) order:1?(asc:t
 desc:t) count-block:b?(count:i=COUNT any:t?) storedist:t?
get key:k0
getbit key:k0 offset:i
getdel key:k0
getex key:k0 expiration:1?(seconds:i=EX milliseconds:i=PX unix-time-seconds:u=EXAT
 unix-time-milliseconds:u=PXAT persist:t)
getrange key:k0 start:i end:i
getset key:k0 value:s
hdel key:k0 field:s*
hello arguments:b?(protover:i auth:b=AUTH?(username:s password:s) clientname:s=SETNAME?)
hexists key:k0 field:s
hget key:k0 field:s
hgetall key:k0
hgetdel key:k0 fields:b=FIELDS(numfields:i0 field:s*)
hincrby key:k0 field:s increment:i
hincrbyfloat key:k0 field:s increment:d
hkeys key:k0
hlen key:k0
hmget key:k0 field:s*
hmset key:k0 data:b*(field:s value:s)
hrandfield key:k0 options:b?(count:i withvalues:t?)
hscan key:k0 cursor:i pattern:p=MATCH? count:i=COUNT? novalues:t?
hset key:k0 data:b*(field:s value:s)
hsetnx key:k0 field:s value:s
hstrlen key:k0 field:s
hvals key:k0
incr key:k0
incrby key:k0 increment:i
incrbyfloat key:k0 increment:d
info section:s?*
keys pattern:p
latency|history event:s
latency|reset event:s?*
lcs key1:k0 key2:k0 len:t? idx:t? min-match-len:i=MINMATCHLEN? withmatchlen:t?
lindex key:k0 index:i
linsert key:k0 where:1(before:t after:t) pivot:s element:s
llen key:k0
lmove source:k0 destination:k1 wherefrom:1(left:t right:t) whereto:1(left:t right:t)
lmpop numkeys:i key:k0* where:1(left:t right:t) count:i=COUNT?
lolwut version:i=VERSION?
lpop key:k0 count:i@6.2.0?
lpos key:k0 element:s rank:i=RANK? num-matches:i=COUNT? len:i=MAXLEN?
lpush key:k0 element:s*
lpushx key:k0 element:s*
lrange key:k0 start:i stop:i
lrem key:k0 count:i element:s
lset key:k0 index:i element:s
ltrim key:k0 start:i stop:i
memory|usage key:k0 count:i=SAMPLES?
mget key:k0*
migrate host:s port:i key-selector:1(key:k0 empty-string:t='') destination-db:i timeout:i
 copy:t@3.0.0? replace:t@3.0.0? authentication:1?(auth~password:s=AUTH@4.0.7
 auth2:b=AUTH2@6.0.0(username:s password:s)) keys~key:k1=KEYS@3.0.6?*
mset data:b*(key:k0 value:s)
msetex numkeys:i data:b*(key:k0 value:s) condition:1?(nx:t xx:t) expiration:1?(seconds:i=EX
 milliseconds:i=PX unix-time-seconds:u=EXAT unix-time-milliseconds:u=PXAT keepttl:t)
msetnx data:b*(key:k0 value:s)
object|encoding key:k0
object|freq key:k0
object|idletime key:k0
object|refcount key:k0
persist key:k0
pexpire key:k0 milliseconds:i condition:1@7.0.0?(nx:t xx:t gt:t lt:t)
pexpireat key:k0 unix-time-milliseconds:u condition:1@7.0.0?(nx:t xx:t gt:t lt:t)
pexpiretime key:k0
pfadd key:k0 element:s?*
pfcount key:k0*
pfmerge destkey:k0 sourcekey:k1?*
ping message:s?
psetex key:k0 milliseconds:i value:s
psubscribe pattern:p*
psync replicationid:s offset:i
pttl key:k0
publish channel:s message:s
pubsub|channels pattern:p?
pubsub|numsub channel:s?*
pubsub|shardchannels pattern:p?
pubsub|shardnumsub shardchannel:s?*
punsubscribe pattern:p?*
rename key:k0 newkey:k1
renamenx key:k0 newkey:k1
replicaof args:1(host-port:b(host:s port:i) no-one:b(no:t one:t))
restore key:k0 ttl:i serialized-value:s replace:t@3.0.0? absttl:t@5.0.0?
 seconds:i=IDLETIME@5.0.0? frequency:i=FREQ@5.0.0?
restore-asking key:k0 ttl:i serialized-value:s replace:t@3.0.0? absttl:t@5.0.0?
 seconds:i=IDLETIME@5.0.0? frequency:i=FREQ@5.0.0?
rpop key:k0 count:i@6.2.0?
rpoplpush source:k0 destination:k1
rpush key:k0 element:s*
rpushx key:k0 element:s*
sadd key:k0 member:s*
scan cursor:i pattern:p=MATCH? count:i=COUNT? type:s=TYPE@6.0.0?
scard key:k0
script|exists sha1:s*
script|flush flush-type:1@6.2.0?(async:t sync:t)
script|load script:s
sdiff key:k0*
sdiffstore destination:k0 key:k1*
select index:i
set key:k0 value:s condition:1?(nx:t@2.6.12 xx:t@2.6.12 comparison-value:s=IFEQ@8.1.0)
 get:t@6.2.0? expiration:1?(seconds:i=EX@2.6.12 milliseconds:i=PX@2.6.12
 unix-time-seconds:u=EXAT@6.2.0 unix-time-milliseconds:u=PXAT@6.2.0 keepttl:t@6.0.0)
setbit key:k0 offset:i value:i
setex key:k0 seconds:i value:s
setnx key:k0 value:s
setrange key:k0 offset:i value:s
shutdown abort-selector:1?(save-selector-block:b(save-selector:1?(nosave:t save:t) now:t@7.0.0?
 force:t@7.0.0? safe:t@9.0.0? failover:t@9.0.0?) abort:t@7.0.0)
sinter key:k0*
sintercard numkeys:i key:k0* limit:i=LIMIT?
sinterstore destination:k0 key:k1*
sismember key:k0 member:s
slaveof args:1(host-port:b(host:s port:i) no-one:b(no:t one:t))
slowlog|get count:i?
smembers key:k0
smismember key:k0 member:s*
smove source:k0 destination:k1 member:s
sort key:k0 by-pattern~pattern:p1=BY? limit:b=LIMIT?(offset:i count:i)
 get-pattern~pattern:p1=GET?*+ order:1?(asc:t desc:t) sorting:t=ALPHA? destination:k2=STORE?
sort_ro key:k0 by-pattern~pattern:p1=BY? limit:b=LIMIT?(offset:i count:i)
 get-pattern~pattern:p1=GET?*+ order:1?(asc:t desc:t) sorting:t=ALPHA?
spop key:k0 count:i@3.2.0?
spublish shardchannel:s message:s
srandmember key:k0 count:i@2.6.0?
srem key:k0 member:s*
sscan key:k0 cursor:i pattern:p=MATCH? count:i=COUNT?
ssubscribe shardchannel:s*
strlen key:k0
subscribe channel:s*
substr key:k0 start:i end:i
sunion key:k0*
sunionstore destination:k0 key:k1*
sunsubscribe shardchannel:s?*
touch key:k0*
ttl key:k0
type key:k0
unlink key:k0*
unsubscribe channel:s?*
wait numreplicas:i timeout:i
watch key:k0*
xack key:k0 group:s id:s*
xadd key:k0 nomkstream:t@6.2.0? trim:b?(strategy:1(maxlen:t minid:t@6.2.0) operator:1?(equal:t==
 approximately:t=~) threshold:s count:i=LIMIT@6.2.0?) id-selector:1(auto-id:t=* id:s)
 data:b*(field:s value:s)
xautoclaim key:k0 group:s consumer:s min-idle-time:s start:s count:i=COUNT? justid:t?
xclaim key:k0 group:s consumer:s min-idle-time:s id:s* ms:i=IDLE? unix-time-milliseconds:u=TIME?
 count:i=RETRYCOUNT? force:t? justid:t? lastid:s=LASTID?
xdel key:k0 id:s*
xgroup|create key:k0 group:s id-selector:1(id:s new-id:t=$) mkstream:t?
 entriesread~entries-read:i=ENTRIESREAD?
xgroup|createconsumer key:k0 group:s consumer:s
xgroup|delconsumer key:k0 group:s consumer:s
xgroup|destroy key:k0 group:s
xgroup|setid key:k0 group:s id-selector:1(id:s new-id:t=$) entriesread~entries-read:i=ENTRIESREAD?
xinfo|consumers key:k0 group:s
xinfo|groups key:k0
xinfo|stream key:k0 full-block:b?(full:t count:i=COUNT?)
xlen key:k0
xpending key:k0 group:s filters:b?(min-idle-time:i=IDLE@6.2.0? start:s end:s count:i consumer:s?)
xrange key:k0 start:s end:s count:i=COUNT?
xread count:i=COUNT? milliseconds:i=BLOCK? streams:b=STREAMS(key:k0* id:s*)
xreadgroup group-block:b=GROUP(group:s consumer:s) count:i=COUNT? milliseconds:i=BLOCK? noack:t?
 streams:b=STREAMS(key:k0* id:s*)
xrevrange key:k0 end:s start:s count:i=COUNT?
xsetid key:k0 last-id:s entries-added:i=ENTRIESADDED@7.0.0? max-deleted-id:s=MAXDELETEDID@7.0.0?
xtrim key:k0 trim:b(strategy:1(maxlen:t minid:t@6.2.0) operator:1?(equal:t== approximately:t=~)
 threshold:s count:i=LIMIT@6.2.0?)
zadd key:k0 condition:1@3.0.2?(nx:t xx:t) comparison:1@6.2.0?(gt:t lt:t) change:t=CH@3.0.2?
 increment:t=INCR@3.0.2? data:b*(score:d member:s)
zcard key:k0
zcount key:k0 min:d max:d
zdiff numkeys:i key:k0* withscores:t?
zdiffstore destination:k0 numkeys:i key:k1*
zincrby key:k0 increment:i member:s
zinter numkeys:i key:k0* weight:i=WEIGHTS?* aggregate:1=AGGREGATE?(sum:t min:t max:t)
 withscores:t?
zintercard numkeys:i key:k0* limit:i=LIMIT?
zinterstore destination:k0 numkeys:i key:k1* weight:i=WEIGHTS?* aggregate:1=AGGREGATE?(sum:t
 min:t max:t)
zlexcount key:k0 min:s max:s
zmpop numkeys:i key:k0* where:1(min:t max:t) count:i=COUNT?
zmscore key:k0 member:s*
zpopmax key:k0 count:i?
zpopmin key:k0 count:i?
zrandmember key:k0 options:b?(count:i withscores:t?)
zrange key:k0 start:s stop:s sortby:1@6.2.0?(byscore:t bylex:t) rev:t@6.2.0?
 limit:b=LIMIT@6.2.0?(offset:i count:i) withscores:t?
zrangebylex key:k0 min:s max:s limit:b=LIMIT?(offset:i count:i)
zrangebyscore key:k0 min:d max:d withscores:t@2.0.0? limit:b=LIMIT?(offset:i count:i)
zrangestore dst:k0 src:k1 min:s max:s sortby:1?(byscore:t bylex:t) rev:t? limit:b=LIMIT?(offset:i
 count:i)
zrank key:k0 member:s withscore:t?
zrem key:k0 member:s*
zremrangebylex key:k0 min:s max:s
zremrangebyrank key:k0 start:i stop:i
zremrangebyscore key:k0 min:d max:d
zrevrange key:k0 start:i stop:i withscores:t?
zrevrangebylex key:k0 max:s min:s limit:b=LIMIT?(offset:i count:i)
zrevrangebyscore key:k0 max:d min:d withscores:t? limit:b=LIMIT?(offset:i count:i)
zrevrank key:k0 member:s withscore:t?
zscan key:k0 cursor:i pattern:p=MATCH? count:i=COUNT? noscores:t?
zscore key:k0 member:s
zunion numkeys:i key:k0* weight:i=WEIGHTS?* aggregate:1=AGGREGATE?(sum:t min:t max:t)
 withscores:t?
zunionstore destination:k0 numkeys:i key:k1* weight:i=WEIGHTS?* aggregate:1=AGGREGATE?(sum:t
 min:t max:t)
"""
"""Those of Valkey 9.1. What is older than a release is told by it, too."""
