"""What libgpac's Python offers by name, as a script may use it."""

from __future__ import annotations

FUNCTIONS = """
    e2s init close set_logs sys_clock sys_clock_high_res set_args sleep version copyright copyright_cite
    numpy_support set_rmt_fun rmt_send rmt_on rmt_enable
""".split()

CONSTANTS = """
    GF_FS_SCHEDULER_LOCK_FREE GF_FS_SCHEDULER_LOCK GF_FS_SCHEDULER_LOCK_FREE_X GF_FS_SCHEDULER_LOCK_FORCE
    GF_FS_SCHEDULER_DIRECT GF_FS_FLAG_LOAD_META GF_FS_FLAG_NON_BLOCKING GF_FS_FLAG_NO_GRAPH_CACHE
    GF_FS_FLAG_NO_REGULATION GF_FS_FLAG_NO_PROBE GF_FS_FLAG_NO_REASSIGN GF_FS_FLAG_PRINT_CONNECTIONS
    GF_FS_FLAG_NO_ARG_CHECK GF_FS_FLAG_NO_RESERVOIR GF_FS_FLAG_FULL_LINK GF_FS_FLAG_NO_IMPLICIT
    GF_PROP_FORBIDDEN GF_PROP_SINT GF_PROP_UINT GF_PROP_LSINT GF_PROP_LUINT GF_PROP_BOOL GF_PROP_FRACTION
    GF_PROP_FRACTION64 GF_PROP_FLOAT GF_PROP_DOUBLE GF_PROP_VEC2I GF_PROP_VEC2 GF_PROP_VEC3I GF_PROP_VEC4I
    GF_PROP_STRING GF_PROP_STRING_NO_COPY GF_PROP_DATA GF_PROP_NAME GF_PROP_DATA_NO_COPY GF_PROP_CONST_DATA
    GF_PROP_POINTER GF_PROP_STRING_LIST GF_PROP_UINT_LIST GF_PROP_SINT_LIST GF_PROP_VEC2I_LIST GF_PROP_4CC
    GF_PROP_4CC_LIST GF_PROP_FIRST_ENUM GF_PROP_PIXFMT GF_PROP_PCMFMT GF_PROP_CICP_COL_PRIM
    GF_PROP_CICP_COL_TFC GF_PROP_CICP_COL_MX
    GF_FEVT_PLAY GF_FEVT_SET_SPEED GF_FEVT_STOP GF_FEVT_PAUSE GF_FEVT_RESUME GF_FEVT_SOURCE_SEEK
    GF_FEVT_SOURCE_SWITCH GF_FEVT_SEGMENT_SIZE GF_FEVT_ATTACH_SCENE GF_FEVT_RESET_SCENE
    GF_FEVT_QUALITY_SWITCH GF_FEVT_VISIBILITY_HINT GF_FEVT_INFO_UPDATE GF_FEVT_BUFFER_REQ
    GF_FEVT_CAPS_CHANGE GF_FEVT_CONNECT_FAIL GF_FEVT_USER GF_FEVT_PLAY_HINT GF_FEVT_FILE_DELETE
    GF_FS_ARG_HINT_NORMAL GF_FS_ARG_HINT_ADVANCED GF_FS_ARG_HINT_EXPERT GF_FS_ARG_HINT_HIDE GF_FS_ARG_UPDATE
    GF_FS_ARG_META GF_FS_ARG_META_ALLOC GF_FS_ARG_SINK_ALIAS
    GF_CAPFLAG_IN_BUNDLE GF_CAPFLAG_INPUT GF_CAPFLAG_OUTPUT GF_CAPFLAG_EXCLUDED GF_CAPFLAG_LOADED_FILTER
    GF_CAPFLAG_STATIC GF_CAPFLAG_OPTIONAL GF_CAPS_INPUT GF_CAPS_INPUT_OPT GF_CAPS_INPUT_STATIC
    GF_CAPS_INPUT_STATIC_OPT GF_CAPS_INPUT_EXCLUDED GF_CAPS_INPUT_LOADED_FILTER GF_CAPS_OUTPUT
    GF_CAPS_OUTPUT_LOADED_FILTER GF_CAPS_OUTPUT_EXCLUDED GF_CAPS_OUTPUT_STATIC GF_CAPS_OUTPUT_STATIC_EXCLUDED
    GF_CAPS_INPUT_OUTPUT GF_CAPS_INPUT_OUTPUT_OPT
    GF_STATS_LOCAL GF_STATS_LOCAL_INPUTS GF_STATS_DECODER_SINK GF_STATS_DECODER_SOURCE GF_STATS_ENCODER_SINK
    GF_STATS_ENCODER_SOURCE GF_STATS_SINK
    GF_SCRIPT_INFO GF_PENDING_PACKET GF_EOS GF_OK GF_BAD_PARAM GF_OUT_OF_MEM GF_IO_ERR GF_NOT_SUPPORTED
    GF_CORRUPTED_DATA GF_SCRIPT_ERROR GF_BUFFER_TOO_SMALL GF_NON_COMPLIANT_BITSTREAM GF_FILTER_NOT_FOUND
    GF_URL_ERROR GF_SERVICE_ERROR GF_REMOTE_SERVICE_ERROR GF_STREAM_NOT_FOUND GF_URL_REMOVED
    GF_IP_ADDRESS_NOT_FOUND GF_IP_CONNECTION_FAILURE GF_IP_NETWORK_FAILURE GF_IP_CONNECTION_CLOSED
    GF_IP_NETWORK_EMPTY GF_IP_UDP_TIMEOUT GF_AUTHENTICATION_FAILURE GF_NOT_READY GF_INVALID_CONFIGURATION
    GF_NOT_FOUND GF_PROFILE_NOT_SUPPORTED GF_REQUIRES_NEW_INSTANCE GF_FILTER_NOT_SUPPORTED
    GF_SETUP_ERROR GF_NOTIF_ERROR GF_NOTIF_ERROR_AND_DISCONNECT
    GF_FS_FLUSH_NONE GF_FS_FLUSH_ALL GF_FS_FLUSH_FAST GF_FS_REG_MAIN_THREAD
""".split()

CLASSES = {
    "Fraction": "num den",
    "Fraction64": "num den",
    "PropVec2i": "x y",
    "PropVec2": "x y",
    "PropVec3i": "x y z",
    "PropVec4i": "x y z w",
    "PropData": "ptr size",
    "FilterArg": "name description type default min_max_enum flags",
    "BufferOccupancy": "max_units nb_pck max_dur dur is_final_flush",
    "FilterStats": """
        nb_tasks_done nb_pck_processed nb_bytes_processed nb_pck_sent nb_hw_pck_sent nb_errors nb_bytes_sent
        time_process percent status report_updated name reg_name filter_id done nb_pid_in nb_in_pck nb_pid_out
        nb_out_pck in_eos type stream_type codecid last_ts_sent last_ts_drop filter filter_alias
    """,
    "FilterPidStatistics": """
        disconnected average_process_rate max_process_rate average_bitrate max_bitrate nb_processed
        max_process_time total_process_time first_process_time last_process_time min_frame_dur nb_saps
        max_sap_process_time total_sap_process_time max_buffer_time max_playout_time min_playout_time
        buffer_time nb_buffer_units last_rt_report rtt jitter loss_rate last_ts_drop last_ts_sent
    """,
    "FEVT_Base": "type on_pid",
    "FEVT_Play": """
        start_range end_range speed from_pck hw_buffer_reset initial_broadcast_play timestamp_based
        full_file_only forced_dash_segment_switch drop_non_ref no_byterange_forward
    """,
    "FEVT_SourceSeek": """
        start_offset end_offset source_switch is_init_segment skip_cache_expiration hint_block_size
    """,
    "FEVT_SegmentSize": "seg_url is_init media_range_start media_range_end idx_range_start idx_range_end",
    "FEVT_AttachScene": "odm node",
    "FEVT_QualitySwitch": "up dependent_group_index q_idx set_tile_mode_plus_one quality_degradation",
    "FEVT_FileDelete": "url",
    "FEVT_VisibilityHint": "min_x max_x min_y max_y is_gaze",
    "FEVT_BufferRequirement": "max_buffer_us max_playout_us min_playout_us pid_only",
    "FilterTask": "execute",
    "FilterSession": """
        delete on_filter_new on_filter_del on_gl_activate external_opengl_provider run load_src load_dst load
        post rem_task abort get_filter lock reporting print_stats print_graph fire_event is_supported_mime
        is_supported_source last_task nb_filters http_bitrate http_max_bitrate
    """,
    "Filter": """
        remove update set_source set_source_restricted insert ipid_prop ipid_enum_props opid_prop
        opid_enum_props ipid_stats opid_stats ipid_source opid_sinks all_args get_info get_statistics
        require_source_id bind name ID nb_ipid nb_opid
    """,
    "FilterCustom": """
        push_cap new_pid update_status reschedule notify_failure make_sticky prevent_blocking block_eos
        set_max_pids hint_clock block_enabled output_buffer playout_buffer sinks_done nb_evts_queued
        clock_hint_time clock_hint_mediatime connections_pending name nb_ipid set_source
    """,
    "FilterPid": """
        send_event remove enum_props get_prop get_info get_packet drop_packet copy_props reset_props forward
        set_prop set_info clear_eos check_caps discard_block allow_direct_dispatch get_clock_type
        get_clock_timestamp is_filter_in_parents get_buffer_occupancy loose_connect set_framing set_clock_mode
        set_discard require_source_id recompute_dts query_cap negotiate_cap resolve_template new_pck_ref
        new_pck new_pck_shared new_pck_copy new_pck_clone name filter_name eos has_seen_eos eos_received
        eos_receievd would_block sparse max_buffer buffer buffer_full first_empty first_cts nb_pck_queued
        timescale min_pck_dur playing next_ts
    """,
    "FilterPacket": """
        enum_props get_prop ref unref discard clone readonly send copy_props set_prop truncate get_gl_texture
        dts cts sap dur size data start end timescale interlaced corrupted seek byte_offset roll crypt clock
        carousel seqnum deps has_properties frame_ifce frame_ifce_gl blocking_ref
    """,
}

PARTS_OF_EVENT = (
    "base play seek attach_scene quality_switch visibility_hint buffer_req seg_size file_del".split()
)

LATER_CLASSES = """
    HTTPOutRequest DASHCustomAlgorithm DASHGroup DASHGroupStatistics DASHGroupDownloadStatistics
    DASHQualityInfo DASHSRD GLTextureInfo FileIO
""".split()
