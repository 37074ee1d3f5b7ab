/**
 * Settings that clients send as a matter of course, and that are left out: they concern ClickHouse's HTTP layer, its
 * log and caches, or are imposed anyway.
 */
export const IGNORED = new RegExp(
  `^(?:http_\\w+|allow_(?:experimental|suspicious)_\\w+|cancel_http_readonly_queries_on_client_close
  |send_progress_in_http_headers|add_http_cors_header|log_comment|log_queries|connect_timeout|receive_timeout|send_timeout
  |enable_analyzer|allow_ddl|async_insert|wait_for_async_insert|insert_deduplicate|insert_quorum|insert_distributed_sync
  |insert_deduplication_token|create_table_empty_primary_key_by_default|replication_alter_partitions_sync|workload|priority|max_query_size|use_query_cache
  |enable_reads_from_query_cache|enable_writes_to_query_cache|network_compression_method
  |implicit_select|dialect|query_plan_\\w+|compile_\\w+|max_(?:final|download|parsing)_threads|max_read_buffer_size
  |group_by_two_level_threshold\\w*|poll_interval
  |max_insert_block_size\\w*|min_insert_block_size_\\w+|max_ast_\\w+|max_expanded_ast_elements|load_balancing|prefer_localhost_replica
  |skip_unavailable_shards|max_parallel_replicas|max_distributed_connections|connect_timeout_with_failover_\\w+
  |connections_with_failover_max_tries|idle_connection_timeout|local_filesystem_read_method|min_bytes_to_use_\\w+_io
  |low_cardinality_allow_in_native_format|use_skip_indexes|select_sequential_consistency|replace_running_query|optimize_\\w+|database_replicated_\\w+|distributed_ddl_\\w+)$`.replace(
    /\s+/g,
    '',
  ),
)
