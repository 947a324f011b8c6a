"""Where Redis tells of other arguments than Valkey, of other times, and what it deprecates."""

from typing import Final

ARGUMENT_ROWS_OF_REDIS: Final = """
acl|cat categoryname:s?
bgsave schedule:t@3.2.2?
bitcount key:k0 index:b?(start:i end:i index_unit:1@7.0.0?(byte:t bit:t))
bitfield key:k0 operation:1?*(encoding_offset:b=GET(encoding:s offset:i)
 write:b(wrap_sat_fail:1=OVERFLOW?(wrap:t sat:t fail:t)
 write_operation:1(encoding_offset_value:b=SET(encoding:s offset:i value:i)
 encoding_offset_increment:b=INCRBY(encoding:s offset:i increment:i))))
bitfield_ro key:k0 encoding_offset:b=GET?*+(encoding:s offset:i)
bitop operation:s destkey:k0 key:k1*
bitpos key:k0 bit:i index:b?(start:i end_index:b?(end:i index_unit:1@7.0.0?(byte:t bit:t)))
client|kill filter:1(ip:port:s!2.8.12 new-format:1*(client-id:i=ID@2.8.12?
 normal_master_slave_pubsub:1=TYPE@2.8.12?(normal:t master:t@3.2.0 slave:t replica:t@5.0.0
 pubsub:t) username:s=USER? ip:port:s=ADDR? ip:port:s=LADDR@6.2.0? yes/no:s=SKIPME?))
client|list normal_master_replica_pubsub:1=TYPE@5.0.0?(normal:t master:t replica:t pubsub:t)
 id:b=ID@6.2.0?(client-id:i*)
client|reply on_off_skip:1(on:t off:t skip:t)
client|unblock client-id:i timeout_error:1?(timeout:t error:t)
cluster|addslotsrange start-slot_end-slot:b*(start-slot:i end-slot:i)
cluster|delslotsrange start-slot_end-slot:b*(start-slot:i end-slot:i)
cluster|meet ip:s port:i cluster_bus_port:i@4.0.0?
cluster|replicate node-id:s
cluster|reset hard_soft:1?(hard:t soft:t)
cluster|setslot slot:i subcommand:1(node-id:s=IMPORTING node-id:s=MIGRATING node-id:s=NODE
 stable:t)
command|getkeys
command|getkeysandflags
config|get parameter:b*(parameter:s)
config|set parameter_value:b*(parameter:s value:s)
flushall async:1?(async:t@4.0.0 sync:t@6.2.0)
flushdb async:1?(async:t@4.0.0 sync:t@6.2.0)
function|flush async:1?(async:t sync:t)
geoadd key:k0 condition:1@6.2.0?(nx:t xx:t) change:t=CH@6.2.0?
 longitude_latitude_member:b*(longitude:d latitude:d member:s)
geohash key:k0 member:s*
geopos key:k0 member:s*
georadius key:k0 longitude:d latitude:d radius:d unit:1(m:t km:t ft:t mi:t) withcoord:t?
 withdist:t? withhash:t? count:b?(count:i=COUNT any:t@6.2.0?) order:1?(asc:t desc:t)
 key:k1=STORE? key:k2=STOREDIST?
georadius_ro key:k0 longitude:d latitude:d radius:d unit:1(m:t km:t ft:t mi:t) withcoord:t?
 withdist:t? withhash:t? count:b?(count:i=COUNT any:t@6.2.0?) order:1?(asc:t desc:t)
georadiusbymember key:k0 member:s radius:d unit:1(m:t km:t ft:t mi:t) withcoord:t? withdist:t?
 withhash:t? count:b?(count:i=COUNT any:t?) order:1?(asc:t desc:t) key:k1=STORE? key:k2=STOREDIST?
georadiusbymember_ro key:k0 member:s radius:d unit:1(m:t km:t ft:t mi:t) withcoord:t? withdist:t?
 withhash:t? count:b?(count:i=COUNT any:t?) order:1?(asc:t desc:t)
geosearch key:k0 from:1(member:s=FROMMEMBER longitude_latitude:b=FROMLONLAT(longitude:d
 latitude:d)) by:1(circle:b(radius:d=BYRADIUS unit:1(m:t km:t ft:t mi:t)) box:b(width:d=BYBOX
 height:d unit:1(m:t km:t ft:t mi:t))) order:1?(asc:t desc:t) count:b?(count:i=COUNT any:t?)
 withcoord:t? withdist:t? withhash:t?
geosearchstore destination:k0 source:k1 from:1(member:s=FROMMEMBER
 longitude_latitude:b=FROMLONLAT(longitude:d latitude:d)) by:1(circle:b(radius:d=BYRADIUS
 unit:1(m:t km:t ft:t mi:t)) box:b(width:d=BYBOX height:d unit:1(m:t km:t ft:t mi:t)))
 order:1?(asc:t desc:t) count:b?(count:i=COUNT any:t?) storedist:t?
hello arguments:b?(protover:i username_password:b=AUTH?(username:s password:s)
 clientname:s=SETNAME?)
hmset key:k0 field_value:b*(field:s value:s)
hscan key:k0 cursor:i pattern:p=MATCH? count:i=COUNT?
hset key:k0 field_value:b*(field:s value:s)
lcs key1:k0 key2:k0 len:t? idx:t? len:i=MINMATCHLEN? withmatchlen:t?
migrate host:s port:i key_or_empty_string:1(key:k0 empty_string:t='') destination-db:i timeout:i
 copy:t@3.0.0? replace:t@3.0.0? authentication:1?(password:s=AUTH@4.0.7?
 username_password:b=AUTH2@6.0.0?(username:s password:s)) key:k1=KEYS@3.0.6?*
mset key_value:b*(key:k0 value:s)
msetnx key_value:b*(key:k0 value:s)
pfmerge destkey:k0 sourcekey:k1*
psubscribe pattern:b*(pattern:p)
script|flush async:1@6.2.0?(async:t sync:t)
set key:k0 value:s condition:1@2.6.12?(nx:t xx:t) get:t@6.2.0? expiration:1?(seconds:i=EX@2.6.12
 milliseconds:i=PX@2.6.12 unix-time-seconds:u=EXAT@6.2.0 unix-time-milliseconds:u=PXAT@6.2.0
 keepttl:t@6.0.0)
shutdown nosave_save:1?(nosave:t save:t) now:t@7.0.0? force:t@7.0.0? abort:t@7.0.0?
sort key:k0 pattern:p1=BY? offset_count:b=LIMIT?(offset:i count:i) pattern:p1=GET?*+
 order:1?(asc:t desc:t) sorting:t=ALPHA? destination:k2=STORE?
sort_ro key:k0 pattern:p1=BY? offset_count:b=LIMIT?(offset:i count:i) pattern:p1=GET?*+
 order:1?(asc:t desc:t) sorting:t=ALPHA?
xadd key:k0 nomkstream:t@6.2.0? trim:b?(strategy:1(maxlen:t minid:t@6.2.0) operator:1?(equal:t==
 approximately:t=~) threshold:s count:i=LIMIT@6.2.0?) id_or_auto:1(auto_id:t=* id:s)
 field_value:b*(field:s value:s)
xclaim key:k0 group:s consumer:s min-idle-time:s id:s* ms:i=IDLE? unix-time-milliseconds:u=TIME?
 count:i=RETRYCOUNT? force:t? justid:t? id:s=LASTID?
xgroup|create key:k0 groupname:s id:1(id:s new_id:t=$) mkstream:t? entries_read:i=ENTRIESREAD?
xgroup|createconsumer key:k0 groupname:s consumername:s
xgroup|delconsumer key:k0 groupname:s consumername:s
xgroup|destroy key:k0 groupname:s
xgroup|setid key:k0 groupname:s id:1(id:s new_id:t=$) entries_read:i=ENTRIESREAD?
xinfo|consumers key:k0 groupname:s
xinfo|stream key:k0 full:b=FULL?(count:i=COUNT?)
xreadgroup group_consumer:b=GROUP(group:s consumer:s) count:i=COUNT? milliseconds:i=BLOCK?
 noack:t? streams:b=STREAMS(key:k0* id:s*)
xsetid key:k0 last-id:s entries_added:i=ENTRIESADDED@7.0.0?
 max_deleted_entry_id:s=MAXDELETEDID@7.0.0?
zadd key:k0 condition:1@3.0.2?(nx:t xx:t) comparison:1@6.2.0?(gt:t lt:t) change:t=CH@3.0.2?
 increment:t=INCR@3.0.2? score_member:b*(score:d member:s)
zrange key:k0 start:s stop:s sortby:1@6.2.0?(byscore:t bylex:t) rev:t@6.2.0?
 offset_count:b=LIMIT@6.2.0?(offset:i count:i) withscores:t?
zrangebylex key:k0 min:s max:s offset_count:b=LIMIT?(offset:i count:i)
zrangebyscore key:k0 min:d max:d withscores:t@2.0.0? offset_count:b=LIMIT?(offset:i count:i)
zrangestore dst:k0 src:k1 min:s max:s sortby:1?(byscore:t bylex:t) rev:t?
 offset_count:b=LIMIT?(offset:i count:i)
zrank key:k0 member:s
zrevrangebylex key:k0 max:s min:s offset_count:b=LIMIT?(offset:i count:i)
zrevrangebyscore key:k0 max:d min:d withscores:t? offset_count:b=LIMIT?(offset:i count:i)
zrevrank key:k0 member:s
zscan key:k0 cursor:i pattern:p=MATCH? count:i=COUNT?
"""
"""Those of Redis 7.0, in the form of `ARGUMENT_ROWS`."""

COMPLEXITY_OF_REDIS: Final = """
cluster|getkeysinslot O(log(N))
cluster|replicas O(1)
cluster|slaves O(1)
geodist O(log(N))
geohash O(log(N))
geopos O(N)
punsubscribe O(N+M)
xread O(N)
"""
"""Command, and how long it takes."""

DEPRECATED_ROWS: Final = """
brpoplpush 6.2.0 `BLMOVE` with `RIGHT` and `LEFT`
cluster|slaves 5.0.0 `CLUSTER REPLICAS`
cluster|slots 7.0.0 `CLUSTER SHARDS`
georadius 6.2.0 `GEOSEARCH` or `GEOSEARCHSTORE` with `BYRADIUS`
georadius_ro 6.2.0 `GEOSEARCH` with `BYRADIUS`
georadiusbymember 6.2.0 `GEOSEARCH` or `GEOSEARCHSTORE` with `BYRADIUS` and `FROMMEMBER`
georadiusbymember_ro 6.2.0 `GEOSEARCH` with `BYRADIUS` and `FROMMEMBER`
getset 6.2.0 `SET` with `GET`
hmset 4.0.0 `HSET`
rpoplpush 6.2.0 `LMOVE` with `RIGHT` and `LEFT`
slaveof 5.0.0 `REPLICAOF`
substr 2.0.0 `GETRANGE`
zrangebylex 6.2.0 `ZRANGE` with `BYLEX`
zrangebyscore 6.2.0 `ZRANGE` with `BYSCORE`
zrevrange 6.2.0 `ZRANGE` with `REV`
zrevrangebylex 6.2.0 `ZRANGE` with `REV` and `BYLEX`
zrevrangebyscore 6.2.0 `ZRANGE` with `REV` and `BYSCORE`
"""
"""Command, since when there is a better one, and which."""
