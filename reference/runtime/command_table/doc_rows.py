"""What commands are for, since when they exist, their group, and how long they take.

The words are ours; the rest is what servers say (COMMAND DOCS). A line that begins with a space
goes on with the one before.
"""

from typing import Final

COMMAND_DOC_ROWS: Final = """
acl 6.0.0 server - What users may do.
acl|cat 6.0.0 server O(1) The categories of commands, or the commands of one.
acl|deluser 6.0.0 server O(1) Users are removed, and their connections end.
acl|dryrun 7.0.0 server O(1) Whether a user may do something.
acl|genpass 6.0.0 server O(1) A random password that can be used for a user.
acl|getuser 6.0.0 server O(N) What one user may do.
acl|help 6.0.0 server O(1) The forms of ACL.
acl|list 6.0.0 server O(N) The users, each as a line of rules.
acl|load 6.0.0 server O(N) The users are taken from the ACL file.
acl|log 6.0.0 server O(N) What was refused to users.
acl|save 6.0.0 server O(N) The users are written to the ACL file.
acl|setuser 6.0.0 server O(N) A user is made or changed by rules.
acl|users 6.0.0 server O(N) The names of the users.
acl|whoami 6.0.0 server O(1) The user of this connection.
append 2.0.0 string O(1) Adds text to the end of a string, which is made if it is missing.
asking 3.0.0 cluster O(1) The next command may use a slot that is being imported.
auth 1.0.0 connection O(N) Tells the password of a user.
bgrewriteaof 1.0.0 server O(1) Writes a new base of the append only file.
bgsave 1.0.0 server O(1) Writes the file with all data in the background.
bitcount 2.6.0 bitmap O(N) How many bits of a string are set.
bitfield 3.2.0 bitmap O(1) Reads and changes integers inside a string.
bitfield_ro 6.0.0 bitmap O(1) Reads integers inside a string.
bitop 2.6.0 bitmap O(N) Combines strings bit by bit and keeps the result.
bitpos 2.8.7 bitmap O(N) Where the first bit with a value is.
blmove 6.2.0 list O(1) Moves an element from list to list, and waits for one.
blmpop 7.0.0 list O(N+M) Takes elements from the first list that has any, and waits for them.
blpop 2.0.0 list O(N) Takes the first element of the first list that has any, and waits for one.
brpop 2.0.0 list O(N) Takes the last element of the first list that has any, and waits for one.
brpoplpush 2.2.0 list O(1) Moves the last element of a list to the head of another, and waits for
 one.
bzmpop 7.0.0 sorted-set O(K) Takes members of the first sorted set that has any, and waits for
 them.
bzpopmax 5.0.0 sorted-set O(log(N)) Takes the member with the highest score, and waits for one.
bzpopmin 5.0.0 sorted-set O(log(N)) Takes the member with the lowest score, and waits for one.
client 2.4.0 connection - About connections of clients.
client|caching 6.0.0 connection O(1) Whether the keys of the next command are tracked.
client|getname 2.6.9 connection O(1) The name of this connection.
client|getredir 6.0.0 connection O(1) Which client hears of tracked keys.
client|help 5.0.0 connection O(1) What CLIENT can do.
client|id 5.0.0 connection O(1) The number of this connection.
client|info 6.2.0 connection O(1) What is known of this connection.
client|kill 2.4.0 connection O(N) Closes connections.
client|list 2.4.0 connection O(N) What is known of each connection.
client|no-evict 7.0.0 connection O(1) Whether this connection may be closed for want of memory.
client|no-touch 7.2.0 connection O(1) Whether commands of this connection count as uses of their
 keys.
client|pause 3.0.0 connection O(1) Lets clients wait for a time.
client|reply 3.2.0 connection O(1) Which commands of this connection are answered.
client|setinfo 7.2.0 connection O(1) Tells which library the client was made with.
client|setname 2.6.9 connection O(1) Names this connection.
client|tracking 6.0.0 connection O(1) Whether this client hears when keys change that it has read.
client|trackinginfo 6.2.0 connection O(1) What this client hears of keys.
client|unblock 5.0.0 connection O(logN) Ends the wait of another client.
client|unpause 6.2.0 connection O(N) Lets clients go on that wait.
cluster 3.0.0 cluster - About the cluster and this node of it.
cluster|addslots 3.0.0 cluster O(N) Gives this node slots that nobody has.
cluster|addslotsrange 7.0.0 cluster O(N) Gives this node runs of slots that nobody has.
cluster|bumpepoch 3.0.0 cluster O(1) Gives this node the highest epoch.
cluster|cancelslotmigrations 9.0.0 cluster O(N) Ends all migrations of slots from this node.
cluster|count-failure-reports 3.0.0 cluster O(N) How many nodes say that a node fails.
cluster|countkeysinslot 3.0.0 cluster O(1) How many keys a slot has here.
cluster|delslots 3.0.0 cluster O(N) Makes this node forget who has the slots.
cluster|delslotsrange 7.0.0 cluster O(N) Makes this node forget who has the runs of slots.
cluster|failover 3.0.0 cluster O(1) Lets this replica take the place of its master.
cluster|flushslot 9.0.0 cluster O(N) Deletes the keys of a slot.
cluster|flushslots 3.0.0 cluster O(1) Makes this node forget who has any slot.
cluster|forget 3.0.0 cluster O(1) Removes a node from the table of this one.
cluster|getkeysinslot 3.0.0 cluster O(N) Keys of a slot.
cluster|getslotmigrations 9.0.0 cluster O(N) The migrations of slots from and to this node.
cluster|help 5.0.0 cluster O(1) What CLUSTER can do.
cluster|info 3.0.0 cluster O(1) The state of the cluster in the view of this node.
cluster|keyslot 3.0.0 cluster O(N) The slot of a key.
cluster|links 7.0.0 cluster O(N) The links of the bus.
cluster|meet 3.0.0 cluster O(1) Makes this node greet another one.
cluster|migrateslots 9.0.0 cluster O(N) Sends slots with their keys to a node, which owns them
 then.
cluster|myid 3.0.0 cluster O(1) The id of this node.
cluster|myshardid 7.2.0 cluster O(1) The id of the shard of this node.
cluster|nodes 3.0.0 cluster O(N) The table of nodes, a line for each.
cluster|replicas 5.0.0 cluster O(N) The replicas of a master, a line for each.
cluster|replicate 3.0.0 cluster O(1) Makes this node a replica of a master.
cluster|reset 3.0.0 cluster O(N) Makes this node forget the cluster.
cluster|saveconfig 3.0.0 cluster O(1) Writes the file of this node.
cluster|set-config-epoch 3.0.0 cluster O(1) Gives a new node its epoch.
cluster|setslot 3.0.0 cluster O(1) Binds a slot to a node, or opens it for a migration.
cluster|shards 7.0.0 cluster O(N) The shards with their slots and nodes.
cluster|slaves 3.0.0 cluster O(N) The replicas of a master, a line for each.
cluster|slot-stats 8.0.0 cluster O(N) How much each slot is used.
cluster|slots 3.0.0 cluster O(N) The runs of slots with the nodes that serve them.
cluster|syncslots 9.0.0 cluster - What the two ends of a migration of slots say to each other.
command 2.8.13 server O(N) The commands, with what clients route by.
command|count 2.8.13 server O(1) How many commands there are.
command|docs 7.0.0 server O(N) What commands are for.
command|getkeys 2.8.13 server O(N) The keys of a command line.
command|getkeysandflags 7.0.0 server O(N) The keys of a command line, with what is done to each.
command|info 2.8.13 server O(N) Some commands, with what clients route by.
command|list 7.0.0 server O(N) The names of commands.
config 2.0.0 server - The settings of this node.
config|get 2.0.0 server O(N) The values of settings.
config|resetstat 2.0.0 server O(1) Starts all counts anew.
config|rewrite 2.8.0 server O(1) Writes the settings back to their file.
config|set 2.0.0 server O(N) Changes settings.
copy 6.2.0 generic O(N) Copies a value to another key.
dbsize 1.0.0 server O(1) How many keys there are.
debug 1.0.0 server - For tests of servers.
decr 1.0.0 string O(1) Subtracts one from a number, 0 if it is missing.
decrby 1.0.0 string O(1) Subtracts from a number, 0 if it is missing.
del 1.0.0 generic O(N) Deletes keys.
delifeq 9.0.0 string O(1) Deletes a key, if it holds this string.
discard 2.0.0 transactions O(N) Gives up a transaction.
dump 2.6.0 generic O(1) The value of a key in the form that RESTORE takes.
echo 1.0.0 connection O(1) Answers with the text.
eval 2.6.0 scripting - Runs a script.
eval_ro 7.0.0 scripting - Runs a script that only reads.
evalsha 2.6.0 scripting - Runs a script that is known, by its name.
evalsha_ro 7.0.0 scripting - Runs a script that is known and only reads.
exec 1.2.0 transactions - Carries out a transaction.
exists 1.0.0 generic O(N) How many of the keys there are.
expire 1.0.0 generic O(1) Ends a key after some seconds.
expireat 1.2.0 generic O(1) Ends a key at a second.
expiretime 7.0.0 generic O(1) The second at which a key ends.
fcall 7.0.0 scripting - Runs a function.
fcall_ro 7.0.0 scripting - Runs a function that only reads.
flushall 1.0.0 server O(N) Deletes all keys.
flushdb 1.0.0 server O(N) Deletes all keys of the database.
function 7.0.0 scripting - Libraries of functions.
function|delete 7.0.0 scripting O(1) Removes a library and its functions.
function|dump 7.0.0 scripting O(N) All libraries as one payload.
function|flush 7.0.0 scripting O(N) Removes all libraries.
function|help 7.0.0 scripting O(1) The forms of FUNCTION.
function|kill 7.0.0 scripting O(1) Ends the function that runs.
function|list 7.0.0 scripting O(N) The libraries and their functions.
function|load 7.0.0 scripting O(1) Makes a library of its source.
function|restore 7.0.0 scripting O(N) Makes the libraries of a payload.
function|stats 7.0.0 scripting O(1) How many libraries and functions there are.
geoadd 3.2.0 geo O(log(N)) Adds places to a map.
geodist 3.2.0 geo O(1) How far two places are apart.
geohash 3.2.0 geo O(1) Places as geohashes.
geopos 3.2.0 geo O(1) Where places are.
georadius 3.2.0 geo O(N+log(M)) The places within a circle; may keep them.
georadius_ro 3.2.10 geo O(N+log(M)) The places within a circle.
georadiusbymember 3.2.0 geo O(N+log(M)) The places within a circle around one of them; may keep
 them.
georadiusbymember_ro 3.2.10 geo O(N+log(M)) The places within a circle around one of them.
geosearch 6.2.0 geo O(N+log(M)) The places within a shape.
geosearchstore 6.2.0 geo O(N+log(M)) Keeps the places within a shape.
get 1.0.0 string O(1) The string of a key.
getbit 2.2.0 bitmap O(1) One bit of a string.
getdel 6.2.0 string O(1) The string of a key, which is deleted.
getex 6.2.0 string O(1) The string of a key, whose end may be changed.
getrange 2.4.0 string O(N) A part of a string.
getset 1.0.0 string O(1) Sets a string and answers with the old one.
hdel 2.0.0 hash O(N) Deletes fields of a hash.
hello 6.0.0 connection O(1) Chooses the version of the protocol.
hexists 2.0.0 hash O(1) Whether a hash has a field.
hget 2.0.0 hash O(1) The value of a field.
hgetall 2.0.0 hash O(N) The fields of a hash with their values.
hgetdel 9.1.0 hash O(N) The values of fields, which are gone then.
hincrby 2.0.0 hash O(1) Adds to the number in a field, 0 if it is missing.
hincrbyfloat 2.6.0 hash O(1) Adds to the decimal number in a field, 0 if it is missing.
hkeys 2.0.0 hash O(N) The fields of a hash.
hlen 2.0.0 hash O(1) How many fields a hash has.
hmget 2.0.0 hash O(N) The values of some fields.
hmset 2.0.0 hash O(N) Sets fields of a hash.
hrandfield 6.2.0 hash O(N) Fields of a hash by chance.
hscan 2.8.0 hash O(1) Goes through the fields of a hash.
hset 2.0.0 hash O(1) Sets fields of a hash.
hsetnx 2.0.0 hash O(1) Sets a field that is missing.
hstrlen 3.2.0 hash O(1) How long the value of a field is.
hvals 2.0.0 hash O(N) The values of a hash.
incr 1.0.0 string O(1) Adds one to a number, 0 if it is missing.
incrby 1.0.0 string O(1) Adds to a number, 0 if it is missing.
incrbyfloat 2.6.0 string O(1) Adds to a decimal number, 0 if it is missing.
info 1.0.0 server O(1) The state of this node, in sections.
keys 1.0.0 generic O(N) The keys that match a pattern.
lastsave 1.0.0 server O(1) When the data was last saved.
latency 2.8.13 server - Of latencies.
latency|doctor 2.8.13 server O(1) What latencies there were, for people.
latency|help 2.8.13 server O(1) What LATENCY can do.
latency|history 2.8.13 server O(1) Latencies of an event.
latency|latest 2.8.13 server O(1) The latest latency of each event.
latency|reset 2.8.13 server O(1) Forgets latencies.
lcs 7.0.0 string O(N*M) The longest text that two strings have in common.
lindex 1.0.0 list O(N) One element of a list.
linsert 2.2.0 list O(N) Inserts an element before or after another.
llen 1.0.0 list O(1) How many elements a list has.
lmove 6.2.0 list O(1) Moves an element from list to list.
lmpop 7.0.0 list O(N+M) Takes elements from the first list that has any.
lolwut 5.0.0 server - Which server this is, and its version.
lpop 1.0.0 list O(N) Takes the first elements of a list.
lpos 6.0.6 list O(N) Where an element stands in a list.
lpush 1.0.0 list O(1) Adds elements to the head of a list, which is made if it is missing.
lpushx 2.2.0 list O(1) Adds elements to the head of a list that exists.
lrange 1.0.0 list O(S+N) Some elements of a list.
lrem 1.0.0 list O(N+M) Removes elements that are equal to one.
lset 1.0.0 list O(N) Replaces an element of a list.
ltrim 1.0.0 list O(N) Keeps only some elements of a list.
memory 4.0.0 server - Of memory.
memory|doctor 4.0.0 server O(1) What is wrong with the memory.
memory|help 4.0.0 server O(1) What MEMORY can do.
memory|malloc-stats 4.0.0 server - What the allocator tells.
memory|purge 4.0.0 server - Gives back what is not used.
memory|stats 4.0.0 server O(1) What the memory is used for.
memory|usage 4.0.0 server O(N) About how many bytes a key takes.
mget 1.0.0 string O(N) The strings of keys.
migrate 2.6.0 generic O(N) Moves keys to another node.
module 4.0.0 server - Of modules.
module|help 5.0.0 server O(1) What MODULE can do.
module|list 4.0.0 server O(N) The modules that are loaded.
monitor 1.0.0 server - Shows every request from now on.
mset 1.0.1 string O(N) Sets strings.
msetex 9.1.0 string O(N) Sets strings that end at the same moment, or none of them.
msetnx 1.0.1 string O(N) Sets strings if none of the keys exists.
multi 1.2.0 transactions O(1) Begins a transaction.
object 2.2.3 generic - Of values and how they are kept.
object|encoding 2.2.3 generic O(1) How a value is kept.
object|freq 4.0.0 generic O(1) How often a key is used.
object|help 6.2.0 generic O(1) What OBJECT can do.
object|idletime 2.2.3 generic O(1) How long a key was not used.
object|refcount 2.2.3 generic O(1) How many places refer to a value.
persist 2.2.0 generic O(1) Lets a key stay for ever.
pexpire 2.6.0 generic O(1) Ends a key after some milliseconds.
pexpireat 2.6.0 generic O(1) Ends a key at a millisecond.
pexpiretime 7.0.0 generic O(1) The millisecond at which a key ends.
pfadd 2.8.9 hyperloglog O(1) Counts elements in a HyperLogLog.
pfcount 2.8.9 hyperloglog O(1) About how many different elements were counted.
pfmerge 2.8.9 hyperloglog O(N) Joins HyperLogLogs.
ping 1.0.0 connection O(1) Answers.
psetex 2.6.0 string O(1) Sets a string that ends after some milliseconds.
psubscribe 2.0.0 pubsub O(N) Listens to the channels that match patterns.
psync 2.8.0 server - Asks for the data and for what changes of it.
pttl 2.6.0 generic O(1) After how many milliseconds a key ends.
publish 2.0.0 pubsub O(N+M) Sends a message to a channel.
pubsub 2.8.0 pubsub - About channels.
pubsub|channels 2.8.0 pubsub O(N) The channels that somebody listens to.
pubsub|help 6.2.0 pubsub O(1) What PUBSUB can do.
pubsub|numpat 2.8.0 pubsub O(1) How many patterns are listened to.
pubsub|numsub 2.8.0 pubsub O(N) How many listen to each channel.
pubsub|shardchannels 7.0.0 pubsub O(N) The shard channels that somebody listens to.
pubsub|shardnumsub 7.0.0 pubsub O(N) How many listen to each shard channel.
punsubscribe 2.0.0 pubsub O(N) Ends listening to patterns.
quit 1.0.0 connection O(1) Closes the connection.
randomkey 1.0.0 generic O(1) A key by chance.
readonly 3.0.0 cluster O(1) Lets this connection read from a replica.
readwrite 3.0.0 cluster O(1) Takes READONLY back.
rename 1.0.0 generic O(1) Gives a value another key.
renamenx 1.0.0 generic O(1) Gives a value another key, if that does not exist.
replconf 3.0.0 server O(1) What a replica tells of itself.
replicaof 5.0.0 server O(1) Refused in a cluster, where nodes find their masters by CLUSTER
 REPLICATE.
reset 6.2.0 connection O(1) Makes the connection as it was at first.
restore 2.6.0 generic O(1) Makes a key of what DUMP gave.
restore-asking 3.0.0 server O(1) RESTORE for slots that are being imported.
role 2.8.12 server O(1) Whether this node is a master, and with whom it replicates.
rpop 1.0.0 list O(N) Takes the last elements of a list.
rpoplpush 1.2.0 list O(1) Moves the last element of a list to the head of another.
rpush 1.0.0 list O(1) Adds elements to the end of a list, which is made if it is missing.
rpushx 2.2.0 list O(1) Adds elements to the end of a list that exists.
sadd 1.0.0 set O(1) Adds members to a set, which is made if it is missing.
save 1.0.0 server O(N) Writes the file with all data, and nothing else happens meanwhile.
scan 2.8.0 generic O(1) Goes through the keys.
scard 1.0.0 set O(1) How many members a set has.
script 2.6.0 scripting - About scripts that are known.
script|exists 2.6.0 scripting O(N) Which scripts are known.
script|flush 2.6.0 scripting O(N) Forgets all scripts.
script|kill 2.6.0 scripting O(1) Ends the script that runs.
script|load 2.6.0 scripting O(N) Makes a script known.
sdiff 1.0.0 set O(N) The members of the first set that no other has.
sdiffstore 1.0.0 set O(N) Keeps the members of the first set that no other has.
select 1.0.0 connection O(1) Chooses a database.
set 1.0.0 string O(1) Sets a string, whatever the key held.
setbit 2.2.0 bitmap O(1) Sets or clears one bit of a string.
setex 2.0.0 string O(1) Sets a string that ends after some seconds.
setnx 1.0.0 string O(1) Sets a string if the key does not exist.
setrange 2.2.0 string O(1) Writes over a part of a string.
shutdown 1.0.0 server O(N) Ends this node.
sinter 1.0.0 set O(N*M) The members that all sets have.
sintercard 7.0.0 set O(N*M) How many members all sets have.
sinterstore 1.0.0 set O(N*M) Keeps the members that all sets have.
sismember 1.0.0 set O(1) Whether a set has a member.
slaveof 1.0.0 server O(1) Refused in a cluster, where nodes find their masters by CLUSTER
 REPLICATE.
slowlog 2.2.12 server - Of requests that took long.
slowlog|get 2.2.12 server O(N) The newest requests that took long.
slowlog|help 6.2.0 server O(1) What SLOWLOG can do.
slowlog|len 2.2.12 server O(1) How many requests that took long are kept.
slowlog|reset 2.2.12 server O(N) Forgets the requests that took long.
smembers 1.0.0 set O(N) The members of a set.
smismember 6.2.0 set O(N) Which of the members a set has.
smove 1.0.0 set O(1) Moves a member from set to set.
sort 1.0.0 generic O(N+M*log(M)) Elements of a key in order, told or kept.
sort_ro 7.0.0 generic O(N+M*log(M)) The elements of a key in their order.
spop 1.0.0 set O(1) Takes members of a set by chance.
spublish 7.0.0 pubsub O(N) Sends a message to a shard channel.
srandmember 1.0.0 set O(1) Members of a set by chance.
srem 1.0.0 set O(N) Removes members of a set.
sscan 2.8.0 set O(1) Goes through the members of a set.
ssubscribe 7.0.0 pubsub O(N) Listens to shard channels.
strlen 2.2.0 string O(1) How long a string is.
subscribe 2.0.0 pubsub O(N) Listens to channels.
substr 1.0.0 string O(N) A part of a string.
sunion 1.0.0 set O(N) The members that any of the sets has.
sunionstore 1.0.0 set O(N) Keeps the members that any of the sets has.
sunsubscribe 7.0.0 pubsub O(N) Ends listening to shard channels.
sync 1.0.0 server - Asks for the data, as replicas did once.
time 2.6.0 server O(1) The time of this node.
touch 3.2.1 generic O(N) Counts as a use of the keys.
ttl 1.0.0 generic O(1) After how many seconds a key ends.
type 1.0.0 generic O(1) What kind of value a key has.
unlink 4.0.0 generic O(1) Deletes keys.
unsubscribe 2.0.0 pubsub O(N) Ends listening to channels.
unwatch 2.2.0 transactions O(1) Watches no key any more.
wait 3.0.0 generic O(1) Waits until replicas have what this connection wrote.
watch 2.2.0 transactions O(1) Gives up the next transaction if the keys change before it.
xack 5.0.0 stream O(1) Confirms entries that a group has read.
xadd 5.0.0 stream O(1) Adds an entry to a stream, which is made if it is missing.
xautoclaim 6.2.0 stream O(1) Takes over entries that others have had for long.
xclaim 5.0.0 stream O(logN) Takes over entries that others have read.
xdel 5.0.0 stream O(1) Removes entries of a stream.
xgroup 5.0.0 stream - About the groups that read a stream.
xgroup|create 5.0.0 stream O(1) Makes a group.
xgroup|createconsumer 6.2.0 stream O(1) Makes a consumer of a group.
xgroup|delconsumer 5.0.0 stream O(1) Removes a consumer of a group.
xgroup|destroy 5.0.0 stream O(N) Removes a group.
xgroup|setid 5.0.0 stream O(1) Sets how far a group has read.
xinfo 5.0.0 stream - What is known of a stream.
xinfo|consumers 5.0.0 stream O(1) The consumers of a group.
xinfo|groups 5.0.0 stream O(1) The groups of a stream.
xinfo|stream 5.0.0 stream O(1) A stream, and what it holds.
xlen 5.0.0 stream O(1) How many entries a stream has.
xpending 5.0.0 stream O(N) The entries that a group has read and not confirmed.
xrange 5.0.0 stream O(N) The entries between two ids.
xread 5.0.0 stream - The entries after ids, of one stream or more; may wait for them.
xreadgroup 5.0.0 stream O(M) The entries that a group has not read yet; may wait for them.
xrevrange 5.0.0 stream O(N) The entries between two ids, the last one first.
xsetid 5.0.0 stream O(1) Sets the last id of a stream, and what is counted of it.
xtrim 5.0.0 stream O(N) Removes the oldest entries of a stream.
zadd 1.2.0 sorted-set O(log(N)) Adds members to a sorted set, or changes their scores.
zcard 1.2.0 sorted-set O(1) How many members a sorted set has.
zcount 2.0.0 sorted-set O(log(N)) How many members have a score in a range.
zdiff 6.2.0 sorted-set O(L+(N-K)log(N)) The members of the first sorted set that no other has.
zdiffstore 6.2.0 sorted-set O(L+(N-K)log(N)) Keeps the members of the first sorted set that no
 other has.
zincrby 1.2.0 sorted-set O(log(N)) Adds to the score of a member.
zinter 6.2.0 sorted-set O(N*K) The members that all sorted sets have.
zintercard 7.0.0 sorted-set O(N*K) How many members all sorted sets have.
zinterstore 2.0.0 sorted-set O(N*K) Keeps the members that all sorted sets have.
zlexcount 2.8.9 sorted-set O(log(N)) How many members are in a range of texts.
zmpop 7.0.0 sorted-set O(K) Takes members of the first sorted set that has any.
zmscore 6.2.0 sorted-set O(N) The scores of some members.
zpopmax 5.0.0 sorted-set O(log(N)*M) Takes the members with the highest scores.
zpopmin 5.0.0 sorted-set O(log(N)*M) Takes the members with the lowest scores.
zrandmember 6.2.0 sorted-set O(N) Members of a sorted set by chance.
zrange 1.2.0 sorted-set O(log(N)+M) The members in a range.
zrangebylex 2.8.9 sorted-set O(log(N)+M) The members in a range of texts.
zrangebyscore 1.0.5 sorted-set O(log(N)+M) The members whose scores are in a range.
zrangestore 6.2.0 sorted-set O(log(N)+M) Keeps the members in a range.
zrank 2.0.0 sorted-set O(log(N)) The place of a member, from the lowest score on.
zrem 1.2.0 sorted-set O(M*log(N)) Removes members of a sorted set.
zremrangebylex 2.8.9 sorted-set O(log(N)+M) Removes the members in a range of texts.
zremrangebyrank 2.0.0 sorted-set O(log(N)+M) Removes the members in a range of places.
zremrangebyscore 1.2.0 sorted-set O(log(N)+M) Removes the members whose scores are in a range.
zrevrange 1.2.0 sorted-set O(log(N)+M) The members in a range of places, from the highest score on.
zrevrangebylex 2.8.9 sorted-set O(log(N)+M) The members in a range of texts, backwards.
zrevrangebyscore 2.2.0 sorted-set O(log(N)+M) The members whose scores are in a range, the highest
 first.
zrevrank 2.0.0 sorted-set O(log(N)) The place of a member, from the highest score on.
zscan 2.8.0 sorted-set O(1) Goes through the members of a sorted set.
zscore 1.2.0 sorted-set O(1) The score of a member.
zunion 6.2.0 sorted-set O(N) The members that any of the sorted sets has.
zunionstore 2.0.0 sorted-set O(N) Keeps the members that any of the sorted sets has.
"""
"""Name, since, group, how long it takes ("-": it depends), summary."""
