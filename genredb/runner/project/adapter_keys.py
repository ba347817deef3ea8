"""The configuration keys of dbt's adapters and of its platform."""

# Configuration keys of other databases' adapters and of the dbt platform.
ELSEWHERE = frozenset(
    """
    access additional_libs as_columnstore auto_liquid_cluster auto_refresh automatic_clustering backup
    base_location_root base_location_subpath batch_id batch_size begin bind buckets catalog catalog_name
    category cluster_by cluster_id clustered_by compression concurrent_batches contract copy_grants
    create_notebook custom_checks databricks_compute databricks_tags dataproc_cluster_name dist
    enable_list_inference enable_refresh event_time external_access_integrations external_volume file_format
    freshness grant_access_to grants group hours_to_expiration http_path imports include_full_name_in_path
    index_url indexes initialize intermediate_format jar_file_uri job_cluster_config kms_key_name labels
    labels_from_meta liquid_clustered_by location_root lookback matched_condition max_staleness
    merge_clauses merge_on_using_columns merge_returning_columns merge_update_condition
    merge_insert_condition merge_update_set_expressions merge_with_schema_evolution
    not_matched_by_source_action not_matched_by_source_condition not_matched_condition notebook_template_id
    on_configuration_change packages partition_by partition_expiration_days partitions persist_docs
    primary_key python_job_config python_version query_tag quoting refresh_interval_minutes refresh_mode
    require_partition_filter resource_tags row_access_policy schedule secrets secure skip_matched_step
    skip_not_matched_step snowflake_warehouse sort sort_type source_alias state static_analysis strictness
    submission_method sync table_format table_tag table_type target_alias target_lag tblproperties timeout
    tmp_relation_type transient use_anonymous_sproc user_folder_for_python
    """.split()
)
# Configuration keys of dbt-duckdb.
OF_DUCKDB = frozenset(
    "batch_size fast format glue_database glue_register location options overwrite parquet_read_options"
    " partition_columns partitioned_by plugin register sorted_by".split()
)
