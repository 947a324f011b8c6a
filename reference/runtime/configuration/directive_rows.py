"""The directives of Redis 7.0.15 and Valkey 9.1.2: names, kinds and defaults.

Made by asking both servers: CONFIG GET for names and defaults, a CONFIG SET and a start with a bad
value for each, whose errors tell the kind, and whether it can be changed. A line says: which
servers (r, v), flags (h hidden, i fixed at the start, p protected), name, kind, default.
`tests/interop/test_directive_rows.py` compares it with the servers again.
"""

from typing import Final

DIRECTIVE_ROWS: Final = """
rv - acl-pubsub-default allchannels|resetchannels resetchannels
rv i aclfile text
rv - acllog-max-len 0..9223372036854775807 128
rv - active-defrag-cycle-max 1..99 25
rv - active-defrag-cycle-min 1..99 1
v - active-defrag-cycle-us 0..100000 500
rv - active-defrag-ignore-bytes memory 104857600
rv - active-defrag-max-scan-fields 1..9223372036854775807 1000
rv - active-defrag-threshold-lower 0..1000 10
rv - active-defrag-threshold-upper 0..1000 100
rv - active-expire-effort 1..10 1
rv - activedefrag yes-no no
rv - activerehashing yes-no yes
rv i always-show-logo yes-no no
r - aof-disable-auto-gc yes-no no
rv - aof-load-truncated yes-no yes
v i aof-rewrite-cpulist text
rv - aof-rewrite-incremental-fsync yes-no yes
rv - aof-timestamp-enabled yes-no no
rv - aof-use-rdb-preamble yes-no yes
rv i aof_rewrite_cpulist text
rv i appenddirname text appendonlydir
rv i appendfilename text appendonly.aof
rv - appendfsync everysec|always|no everysec
rv - appendonly yes-no no
rv - auto-aof-rewrite-min-size memory 67108864
rv - auto-aof-rewrite-percentage 0..2147483647 100
v - availability-zone text
v i bgsave-cpulist text
rv i bgsave_cpulist text
rv - bind words * -::*
rv - bind-source-addr words
v i bio-cpulist text
rv i bio_cpulist text
rv - busy-reply-threshold 0..9223372036854775807 5000
rv - client-output-buffer-limit words normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60
rv - client-query-buffer-limit memory 1073741824
rv - cluster-allow-pubsubshard-when-down yes-no yes
rv - cluster-allow-reads-when-down yes-no no
rv - cluster-allow-replica-migration yes-no yes
rv - cluster-announce-bus-port 0..65535 0
v - cluster-announce-client-ipv4 text
v - cluster-announce-client-ipv6 text
v - cluster-announce-client-port 0..65535 0
v - cluster-announce-client-tls-port 0..65535 0
rv - cluster-announce-hostname text
v - cluster-announce-human-nodename text
rv - cluster-announce-ip text
rv - cluster-announce-port 0..65535 0
rv - cluster-announce-tls-port 0..65535 0
v - cluster-blacklist-ttl -9223372036854775808..9223372036854775807 60
rv i cluster-config-file text nodes.conf
v - cluster-config-save-behavior sync|best-effort sync
v i cluster-databases 1..2147483647 1
rv i cluster-enabled yes-no yes
rv - cluster-link-sendbuf-limit memory 0
v - cluster-manual-failover-timeout 1..2147483647 5000
v h cluster-message-gossip-perc 1..100 10
rv - cluster-migration-barrier 0..2147483647 1
rv - cluster-node-timeout 0..9223372036854775807 15000
v h cluster-ping-interval 0..9223372036854775807 0
rv i cluster-port 0..65535 0
rv - cluster-preferred-endpoint-type ip|hostname|unknown-endpoint ip
rv - cluster-replica-no-failover yes-no no
rv - cluster-replica-validity-factor 0..2147483647 10
rv - cluster-require-full-coverage yes-no yes
rv - cluster-slave-no-failover yes-no no
rv - cluster-slave-validity-factor 0..2147483647 10
v - cluster-slot-migration-log-max-len 0..9223372036854775807 1000
v - cluster-slot-stats-enabled yes-no no
v - commandlog-execution-slower-than -1..9223372036854775807 10000
v - commandlog-large-reply-max-len 0..9223372036854775807 128
v - commandlog-large-request-max-len 0..9223372036854775807 128
v - commandlog-reply-larger-than -1..9223372036854775807 1048576
v - commandlog-request-larger-than -1..9223372036854775807 1048576
v - commandlog-slow-execution-max-len 0..9223372036854775807 128
rv - crash-log-enabled yes-no yes
rv - crash-memcheck-enabled yes-no yes
rv i daemonize yes-no no
rv i databases 1..2147483647 16
rv p dbfilename text dump.rdb
rv p dir text
rv i disable-thp yes-no yes
v - dual-channel-replication-enabled yes-no no
r - dynamic-hz yes-no yes
v hi enable-debug-assert yes-no no
rv i enable-debug-command no|yes|local no
rv i enable-module-command no|yes|local no
rv i enable-protected-configs no|yes|local no
v - extended-redis-compatibility yes-no no
rv - hash-max-listpack-entries 0..9223372036854775807 512
rv - hash-max-listpack-value memory 64
rv - hash-max-ziplist-entries 0..9223372036854775807 512
rv - hash-max-ziplist-value memory 64
v i hash-seed text
v - hide-user-data-from-log yes-no yes
rv - hll-sparse-max-bytes memory 3000
rv - hz 0..2147483647 10
rv - ignore-warnings text
v - import-mode yes-no no
r i io-threads 1..128 1
v - io-threads 1..256 1
r i io-threads-do-reads yes-no no
rv - jemalloc-bg-thread yes-no yes
rv h key-load-delay -2147483648..2147483647 0
rv - latency-monitor-threshold 0..9223372036854775807 0
rv - latency-tracking yes-no yes
rv - latency-tracking-info-percentiles words 50 99 99.9
r - lazyfree-lazy-eviction yes-no no
v - lazyfree-lazy-eviction yes-no yes
r - lazyfree-lazy-expire yes-no no
v - lazyfree-lazy-expire yes-no yes
r - lazyfree-lazy-server-del yes-no no
v - lazyfree-lazy-server-del yes-no yes
r - lazyfree-lazy-user-del yes-no no
v - lazyfree-lazy-user-del yes-no yes
r - lazyfree-lazy-user-flush yes-no no
v - lazyfree-lazy-user-flush yes-no yes
rv - lfu-decay-time 0..2147483647 1
rv - lfu-log-factor 0..2147483647 10
rv - list-compress-depth 0..2147483647 0
rv - list-max-listpack-size -2147483648..2147483647 -2
rv - list-max-ziplist-size -2147483648..2147483647 -2
rv h loading-process-events-interval-bytes 1024..2147483647 2097152
v - locale-collate text
v - log-format legacy|logfmt|json legacy
v - log-timestamp-format legacy|iso8601|milliseconds legacy
rv i logfile text
r - loglevel debug|verbose|notice|warning notice
v - loglevel debug|verbose|notice|warning|nothing notice
rv - lua-time-limit 0..9223372036854775807 5000
rv - masterauth text
rv - masteruser text
v - max-new-connections-per-cycle 1..1000 10
v - max-new-tls-connections-per-cycle 1..1000 1
rv - maxclients 1..4294967295 10000
rv - maxmemory memory 0
rv - maxmemory-clients memory 0
rv - maxmemory-eviction-tenacity 0..100 10
rv - maxmemory-policy volatile-lru|volatile-lfu|volatile-random|volatile-ttl|allkeys-lru|allkeys-lfu|allkeys-random|noeviction noeviction
r - maxmemory-samples 1..2147483647 5
v - maxmemory-samples 1..64 5
rv - min-replicas-max-lag 0..2147483647 10
rv - min-replicas-to-write 0..2147483647 0
rv - min-slaves-max-lag 0..2147483647 10
rv - min-slaves-to-write 0..2147483647 0
v i mptcp yes-no no
rv - no-appendfsync-on-rewrite yes-no no
rv - notify-keyspace-events events
rv - oom-score-adj no|yes|relative|absolute no
rv - oom-score-adj-values words 0 200 800
rv i pidfile text
r - port 0..65535 54571
v - port 0..65535 42867
v - prefetch-batch-max-size 0..128 16
v - primaryauth text
v - primaryuser text
rv - proc-title-template text {title} {listen-addr} {server-mode}
rv - propagation-error-behavior ignore|panic|panic-on-replicas ignore
rv p protected-mode yes-no yes
rv - proto-max-bulk-len memory 536870912
rv - rdb-del-sync-files yes-no no
rv h rdb-key-save-delay -2147483648..2147483647 0
rv - rdb-save-incremental-fsync yes-no yes
v - rdb-version-check strict|relaxed strict
rv i rdbchecksum yes-no yes
rv - rdbcompression yes-no yes
v - rdma-bind words
v i rdma-completion-vector -1..1024 -1
v - rdma-port 0..65535 0
v i rdma-rx-size 65536..16777216 1048576
r - repl-backlog-size memory 1048576
v - repl-backlog-size memory 10485760
rv - repl-backlog-ttl 0..9223372036854775807 3600
rv - repl-disable-tcp-nodelay yes-no no
r - repl-diskless-load disabled|on-empty-db|swapdb disabled
v - repl-diskless-load disabled|on-empty-db|swapdb|flush-before-load disabled
rv - repl-diskless-sync yes-no yes
rv - repl-diskless-sync-delay 0..2147483647 5
rv - repl-diskless-sync-max-replicas 0..2147483647 0
v i repl-mptcp yes-no no
rv - repl-ping-replica-period 1..2147483647 10
rv - repl-ping-slave-period 1..2147483647 10
rv - repl-timeout 1..2147483647 60
rv - replica-announce-ip text
rv - replica-announce-port 0..65535 0
rv - replica-announced yes-no yes
rv - replica-ignore-disk-write-errors yes-no no
rv - replica-ignore-maxmemory yes-no yes
r - replica-lazy-flush yes-no no
v - replica-lazy-flush yes-no yes
rv - replica-priority 0..2147483647 100
rv - replica-read-only yes-no yes
rv - replica-serve-stale-data yes-no yes
rv i replicaof words
rv - requirepass text
r - sanitize-dump-payload no|yes|clients no
rv - save words 3600 1 300 100 60 10000
v i server-cpulist text
rv i server_cpulist text
rv - set-max-intset-entries 0..9223372036854775807 512
v - set-max-listpack-entries 0..9223372036854775807 128
v - set-max-listpack-value 0..9223372036854775807 64
rv i set-proc-title yes-no yes
r - shutdown-on-sigint any:default|save|nosave|now|force default
v - shutdown-on-sigint any:default|save|nosave|now|force|safe|failover default
r - shutdown-on-sigterm any:default|save|nosave|now|force default
v - shutdown-on-sigterm any:default|save|nosave|now|force|safe|failover default
rv - shutdown-timeout 0..2147483647 10
rv - slave-announce-ip text
rv - slave-announce-port 0..65535 0
rv - slave-ignore-maxmemory yes-no yes
r - slave-lazy-flush yes-no no
v - slave-lazy-flush yes-no yes
rv - slave-priority 0..2147483647 100
rv - slave-read-only yes-no yes
rv - slave-serve-stale-data yes-no yes
rv i slaveof words
v - slot-migration-max-failover-repl-bytes memory 0
rv - slowlog-log-slower-than -1..9223372036854775807 10000
rv - slowlog-max-len 0..9223372036854775807 128
rv i socket-mark-id 0..4294967295 0
rv - stop-writes-on-bgsave-error yes-no yes
rv - stream-node-max-bytes memory 4096
rv - stream-node-max-entries 0..9223372036854775807 100
rv i supervised upstart|systemd|auto|no no
rv i syslog-enabled yes-no no
rv i syslog-facility user|local0|local1|local2|local3|local4|local5|local6|local7 local0
r i syslog-ident text redis
v i syslog-ident text valkey
rv i tcp-backlog 0..2147483647 511
rv - tcp-keepalive 0..2147483647 300
rv - timeout 0..2147483647 0
rv - tls-auth-clients no|yes|optional yes
v - tls-auth-clients-user CN|URI|off off
v - tls-auto-reload-interval 0..2147483647 0
rv - tls-ca-cert-dir text
rv - tls-ca-cert-file text
rv - tls-cert-file text
rv - tls-ciphers text
rv - tls-ciphersuites text
rv - tls-client-cert-file text
rv - tls-client-key-file text
rv - tls-client-key-file-pass text
rv - tls-cluster yes-no no
rv - tls-dh-params-file text
rv - tls-key-file text
rv - tls-key-file-pass text
rv - tls-port 0..65535 0
rv - tls-prefer-server-ciphers yes-no no
rv - tls-protocols text
rv - tls-replication yes-no no
rv - tls-session-cache-size 0..2147483647 20480
rv - tls-session-cache-timeout 0..2147483647 300
rv - tls-session-caching yes-no yes
rv - tracking-table-max-keys 0..9223372036854775807 1000000
rv i unixsocket text
v i unixsocketgroup text
rv i unixsocketperm text 0
rv - zset-max-listpack-entries 0..9223372036854775807 128
rv - zset-max-listpack-value memory 64
rv - zset-max-ziplist-entries 0..9223372036854775807 128
rv - zset-max-ziplist-value memory 64
"""  # noqa: E501 - a line for each
