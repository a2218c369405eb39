//! All tests of the lab, one file per theme, registered in one table.
//!
//! A test gets a [`Scene`](crate::run::scene::Scene) with a freshly booted cluster. When it returns, the
//! runner stops the client and fails the test if an acknowledged row is gone.

use crate::run::runner::{Case, Length, Needs};

mod addressless;
mod admin;
mod attacker;
mod balancer;
mod barred;
mod bounds;
mod config;
mod consistency;
mod crash;
mod daemons;
mod documents;
mod doubts;
mod election;
mod evidence;
mod eyes;
mod facts;
mod faults;
mod forget;
mod hands;
mod hostile;
mod hung;
mod identity;
mod least_privilege;
mod lineage;
mod mistakes;
mod moves;
mod network;
mod ocf;
mod package;
mod paf_losses;
mod passed_over;
mod planned;
mod power;
mod promotions;
mod proof;
mod prospects;
mod quiet;
mod rebuild;
mod rejoin;
mod rolling;
mod rules;
mod scores;
mod setup;
mod signals;
mod slots;
mod soak;
mod storage;
mod surroundings;
mod switchover;
mod tools;
mod two;
mod validate;
mod watching;

macro_rules! cases {
    ($($module:ident :: $name:ident needs $needs:ident $($mark:ident)?),* $(,)?) => {
        &[$(Case {
            name: concat!(stringify!($module), "::", stringify!($name)),
            needs: Needs::$needs,
            length: length!($($mark)?),
            run: $module::$name,
        }),*]
    };
}

macro_rules! length {
    () => {
        Length::Short
    };
    (long) => {
        Length::Long
    };
}

/// Every test, in the order they are started: the longest first. One marked `long` runs only
/// with `lab test --long`.
pub const ALL: &[Case] = cases![
    quiet::no_cib_writes_and_no_complaints needs Silence,
    soak::three_minutes needs DisksAndSynchronousClient,
    two::instances_in_one_cluster needs Client,
    power::cut_at_the_primary needs SynchronousClient,
    power::cut_at_a_standby needs SynchronousClient,
    power::cut_loses_what_was_not_fsynced needs DisksAndSynchronousClient,
    rejoin::diverged_primary_is_rewound needs Client,
    rejoin::interrupted_rewind_is_resumed needs Client,
    rejoin::diverged_standby_stays_and_says_so needs Client long,
    addressless::all_follow_who_is_elected needs SynchronousClient long,
    addressless::receiver_outside_counts_for_nobody needs SynchronousClient long,
    rebuild::diverged_node_is_rebuilt_under_writes needs Client,
    rebuild::killed_at_any_moment_it_is_finished_by_the_next_call needs Client long,
    rebuild::nothing_is_started_while_it_goes_on needs Client long,
    rebuild::refusals_touch_nothing needs Client long,
    rebuild::what_a_rewind_throws_away_is_kept_and_counted needs Client long,
    rebuild::what_a_rebuild_throws_away_is_kept_and_counted needs Client long,
    rebuild::a_command_of_the_admin_fills_it needs Client long,
    election::lagging_standby_is_not_promoted needs Client,
    election::timeline_of_a_dead_primary_is_not_taken_again needs SynchronousClient,
    election::switchover_right_after_the_first_start needs Nodes,
    proof::refused_promotion_and_its_override needs SynchronousSilence,
    proof::power_cuts_of_primary_and_standby needs SynchronousClient,
    proof::failure_soon_after_a_failover needs SynchronousClient,
    proof::failure_soon_after_a_return needs SynchronousClient long,
    proof::failure_soon_after_a_switchover needs SynchronousClient long,
    proof::all_nodes_come_back_in_some_order needs SynchronousClient long,
    proof::prediction_of_a_state_comes_true needs Silence long,
    consistency::random_faults needs SynchronousClient long,
    consistency::losses_without_the_guard_are_found needs SynchronousSilence long,
    consistency::losses_without_synchronous_standbys_are_found needs Silence long,
    paf_losses::old_primary_does_not_beat_the_new_timeline needs Silence long,
    paf_losses::restarted_standbys_vote_what_they_hold needs Silence,
    paf_losses::older_shutdown_checkpoint_proves_nothing needs Silence long,
    paf_losses::refused_switchover_returns_the_role needs Silence long,
    paf_losses::banned_role_goes_to_nobody_who_lacks_rows needs Silence long,
    paf_losses::lost_election_is_held_again needs Silence,
    paf_losses::maxlag_holds_in_the_election needs Silence long,
    paf_losses::node_standby_is_checked_like_a_move needs Silence long,
    paf_losses::synchronous_commits_outlive_a_double_fault needs SynchronousSilence long,
    paf_losses::fork_of_a_stale_node_does_not_win needs Silence,
    passed_over::a_rule_on_the_best_blocks_nobody needs Silence long,
    passed_over::a_ban_on_a_delayed_standby_blocks_nobody needs Silence long,
    passed_over::a_ban_on_one_far_ahead_is_named_with_its_remedy needs Silence long,
    passed_over::a_ban_gives_up_no_synchronous_commit needs SynchronousSilence long,
    passed_over::what_only_a_banned_standby_holds_is_fetched needs Silence long,
    passed_over::it_is_fetched_where_standbys_name_each_other needs Silence long,
    passed_over::synchronous_commits_of_a_banned_standby_are_fetched needs SynchronousSilence long,
    passed_over::a_score_by_hand_is_named needs Silence long,
    evidence::dead_primary_is_removed_from_the_cluster needs SynchronousSilence long,
    evidence::attributes_of_all_nodes_are_erased needs SynchronousSilence long,
    evidence::old_configuration_is_pushed needs Silence long,
    evidence::old_configuration_and_a_diverged_primary needs SynchronousSilence long,
    evidence::old_configuration_before_the_new_primary_is_lost needs SynchronousSilence long,
    evidence::old_configuration_after_a_move needs SynchronousClient long,
    evidence::stack_is_restarted_after_a_refusal needs Silence long,
    evidence::node_without_postgresql_tells_of_an_election needs SynchronousSilence long,
    doubts::candidate_stays_away_after_all_lost_power needs Silence long,
    evidence::rebuilt_standby_vouches_for_nothing needs SynchronousSilence long,
    evidence::rebuilt_standby_is_promoted_once_it_caught_up needs SynchronousSilence long,
    rules::commits_of_an_earlier_rule_stay_guarded needs SynchronousSilence long,
    rules::commits_stay_guarded_after_the_end_of_all_rules needs SynchronousSilence long,
    rules::rule_is_changed_under_maintenance needs SynchronousSilence long,
    rules::commits_of_an_earlier_reign_of_the_same_node_stay_guarded needs SynchronousSilence long,
    rules::new_rule_is_enough_once_its_standby_holds_all needs SynchronousSilence long,
    rules::node_without_a_database_is_no_standby needs SynchronousSilence long,
    rules::foreign_receiver_confirmed_alone needs SynchronousSilence long,
    rules::foreign_receiver_with_the_name_of_a_member needs SynchronousSilence long,
    rules::standbys_that_commits_waited_for_are_candidates needs SynchronousClient long,
    rules::primary_that_is_its_own_only_standby needs Silence long,
    rules::voter_that_answers_again_is_asked_again needs SynchronousSilence long,
    barred::candidate_fetches_what_only_the_barred_node_holds needs Silence long,
    barred::barred_node_that_is_a_little_ahead_is_passed_over needs Silence long,
    barred::barred_node_that_is_far_ahead_is_not_passed_over needs Silence long,
    barred::synchronous_commits_of_a_barred_node_are_not_passed_over needs SynchronousSilence long,
    lineage::rebuilt_primary_vouches_for_nothing needs SynchronousSilence long,
    lineage::switchover_by_hand_is_adopted needs Silence long,
    lineage::switchover_by_hand_with_writes_that_nobody_else_has needs Silence long,
    lineage::restored_database_is_adopted needs Silence long,
    lineage::promotion_that_ended_halfway needs Silence long,
    lineage::promotion_that_replayed_more_than_was_voted needs SynchronousSilence long,
    forget::new_database_is_elected needs SynchronousSilence long,
    least_privilege::a_cluster_runs_without_a_superuser needs SynchronousClient long,
    least_privilege::a_revoked_right_stops_nothing needs Client long,
    least_privilege::no_connection_left_for_the_role needs Client long,
    storage::damaged_wal_is_not_voted_with needs Silence long,
    scores::foreign_score_is_named_with_its_remedy needs Client long,
    promotions::settings_smaller_than_the_primarys needs Client long,
    promotions::standby_with_smaller_settings_is_the_last_choice needs Client long,
    promotions::replay_held_up_by_readers needs Client long,
    promotions::restore_command_that_hangs needs Client long,
    promotions::delayed_standby_votes_with_what_it_holds needs SynchronousClient long,
    promotions::start_during_many_subtransactions needs Client long,
    facts::frozen_primary_with_a_full_queue needs SynchronousClient long,
    facts::agent_that_may_not_trace_processes needs SynchronousClient,
    facts::session_defaults_reach_no_session_of_the_agent needs Silence long,
    facts::database_postgres_is_gone needs Silence long,
    facts::what_stands_in_pg_version_is_told_to_nobody needs Client long,
    hostile::settings_of_every_kind needs Silence long,
    bounds::directory_service_that_hangs needs Client long,
    bounds::hung_disk_under_each_verb needs DisksAndSynchronousClient long,
    bounds::tools_of_pacemaker_that_hang needs Silence long,
    identity::lock_file_of_a_process_that_stays needs Client long,
    identity::single_user_mode_is_no_fault needs Silence long,
    identity::server_of_another_name needs Silence long,
    identity::servers_that_nobody_may_look_into needs Silence long,
    faults::frozen_postmaster_of_the_primary needs SynchronousClient,
    faults::cable_of_the_primary_pulled needs SynchronousClient,
    faults::power_cut_of_all_nodes needs SynchronousClient,
    surroundings::environment_and_oom_score needs Client long,
    surroundings::table_space_that_is_not_mounted needs Client long,
    surroundings::standby_without_its_table_space_is_the_last_choice needs SynchronousClient long,
    surroundings::systemd_starts_the_old_primary needs SynchronousClient long,
    storage::full_disk_of_the_primary needs DisksAndSynchronousClient,
    storage::full_disk_of_a_standby needs DisksAndSynchronousClient long,
    storage::read_only_disk_of_the_primary needs DisksAndSynchronousClient long,
    storage::hung_disk_of_the_primary needs DisksAndSynchronousClient,
    storage::short_hang_of_a_standby needs DisksAndSynchronousClient long,
    storage::data_directory_not_mounted needs DisksAndSynchronousClient long,
    storage::wrong_mode_of_the_data_directory needs Client long,
    network::primary_without_peers_but_with_clients needs SynchronousClient long,
    network::minority_under_the_policy_demote needs SynchronousClient long,
    network::corosync_of_the_primary_cut needs SynchronousClient long,
    network::replication_lost_in_one_direction needs SynchronousClient long,
    network::commits_hang_without_standbys needs SynchronousClient,
    network::excluded_standbys_wait_for_the_last_primary needs Client long,
    config::typo_on_the_primary needs SynchronousClient,
    config::standbys_that_cannot_be_candidates needs Client long,
    config::foreign_database_joins needs Client long,
    daemons::each_killed_at_the_primary needs SynchronousClient long,
    daemons::controld_and_corosync_killed_at_the_primary needs SynchronousClient,
    daemons::attribute_daemon_hangs needs Client long,
    daemons::broken_fencing_stops_the_promotion needs SynchronousClient long,
    daemons::stack_restarted_above_a_running_database needs Client long,
    hung::frozen_walreceiver needs SynchronousClient long,
    hung::no_connection_left_for_anybody needs SynchronousClient,
    hung::stop_that_takes_too_long needs SynchronousClient long,
    hung::frozen_primary_is_ended_and_not_fenced needs SynchronousClient long,
    hung::frozen_checkpointer_is_ended_and_not_fenced needs SynchronousClient long,
    hung::hung_start_after_a_power_cut needs SynchronousClient long,
    hung::mute_standby_does_not_block_the_election needs Client,
    hung::failover_waits_for_no_checkpoint needs SynchronousClient long,
    hung::paused_replay_is_no_obstacle needs SynchronousClient long,
    hung::long_crash_recovery_is_killed needs SynchronousClient long,
    hung::standby_with_a_frozen_downstream_stops needs Client long,
    hung::reused_process_id needs Client long,
    slots::standby_that_was_away_streams_on_after_a_failover needs Client long,
    slots::standby_that_was_away_is_lost_without_slots needs Client long,
    slots::slots_of_a_removed_node_go_and_foreign_ones_stay needs Client long,
    slots::wal_kept_for_an_absent_standby_is_bounded needs Client long,
    planned::hung_archiver_holds_no_move needs SynchronousClient long,
    planned::slow_archiver_holds_no_move needs SynchronousClient long,
    planned::frozen_logical_receiver_holds_no_move needs SynchronousClient long,
    planned::frozen_receiver_without_a_timeout_holds_no_move needs SynchronousClient long,
    planned::frozen_standby_holds_no_move needs SynchronousClient long,
    signals::a_standby_that_is_not_ready_is_said_once needs Client long,
    signals::alerts_tell_of_a_failover needs SynchronousClient long,
    signals::prometheus_judges_the_metrics needs Client long,
    signals::history_shows_the_course_of_a_failover needs SynchronousClient long,
    signals::standbys_with_smaller_settings_are_said_once needs Client long,
    eyes::status_is_what_sql_and_pacemaker_say needs Silence long,
    eyes::status_says_what_is_wrong needs Silence long,
    eyes::what_holds_up_a_failover_is_said needs Silence long,
    eyes::nodes_that_are_away_have_each_their_cure needs Client long,
    eyes::prediction_of_a_failover_comes_true needs Silence long,
    eyes::prediction_of_a_fetch_comes_true needs Silence long,
    eyes::prediction_of_a_refusal_comes_true needs SynchronousSilence long,
    prospects::predictions_of_random_states_come_true needs Silence long,
    hands::standby_promoted_by_hand needs SynchronousClient long,
    hands::standby_without_its_wal needs Client long,
    hands::target_of_a_switchover_dies needs SynchronousClient,
    faults::replication_of_a_standby_cut needs Client,
    faults::connections_exhausted needs Client long,
    faults::kill_a_backend needs Client,
    crash::kill_postmaster_of_primary needs Client,
    crash::kill_postmaster_of_standby needs Client,
    crash::number_of_a_dead_postmaster_is_taken needs Client,
    crash::pg_ctl_stop_of_primary needs Client,
    crash::smart_stop_of_primary needs Client,
    crash::backend_killed_where_no_restart_follows needs Client long,
    crash::busy_backend_of_a_dead_postmaster needs Client long,
    crash::failures_that_expire_take_no_node_out_of_service needs Client long,
    crash::files_of_a_backup_left_behind needs Client long,
    crash::pg_ctl_stop_of_standby needs Client,
    watching::crash_is_noticed_at_once needs Client long,
    watching::monitors_are_back_after_a_crash needs Client long,
    watching::restart_by_hand_is_no_failure needs Client long,
    watching::maintenance_mode_hides_everything needs Client long,
    watching::nobody_waits_for_the_monitor needs Client long,
    validate::typo_keeps_one_node_from_starting needs Client,
    validate::monitor_that_writes_waits_for_no_standby needs Silence long,
    mistakes::wrong_port_restarts_nothing needs Client long,
    mistakes::typo_in_the_configuration_stops_no_stop needs Client,
    moves::promoted_role_to_chosen_nodes needs Client,
    moves::ban_of_a_standby needs Client,
    moves::ban_of_the_primary needs Client,
    moves::slow_neighbour_does_not_hold_up_the_address needs Client long,
    moves::refused_move_waits_for_its_target needs Silence long,
    moves::move_to_a_standby_that_is_away_costs_nothing needs Client long,
    switchover::moves_and_reports needs Client long,
    switchover::refuses_a_paused_replay needs Client long,
    switchover::says_that_the_role_went_back needs SynchronousClient long,
    switchover::interrupted_leaves_no_constraint needs Client long,
    switchover::role_is_told_to_load_balancers needs Client long,
    balancer::haproxy_follows_the_primary needs SynchronousClient long,
    setup::faults_are_found needs Silence long,
    admin::first_start_cleanup_and_refresh needs Client,
    admin::promotion_without_fencing_is_said needs Client long,
    admin::disable_and_enable needs Client,
    admin::stop_all_and_start_all needs Client,
    admin::stop_and_start_of_a_standby needs Client,
    admin::stop_and_start_of_the_primary needs Client,
    admin::node_standby_of_the_primary needs Client,
    admin::node_standby_of_a_standby needs Client,
    admin::restart_under_maintenance needs Client,
    attacker::owner_of_the_data_plays_tricks_on_every_verb needs Nodes long,
    ocf::tester_passes needs Nodes,
    documents::cookbook_every_day needs Client,
    documents::cookbook_start_and_stop needs Client long,
    documents::cookbook_software needs Client long,
    documents::cookbook_nodes needs Client long,
    documents::cookbook_slots needs Client long,
    documents::cookbook_synchronous needs Client long,
    documents::cookbook_time needs Client long,
    documents::cookbook_second_site needs Client long,
    documents::cookbook_least_privilege needs Client long,
    documents::cookbook_failure needs SynchronousClient long,
    documents::cookbook_refusal needs SynchronousClient long,
    documents::cookbook_addresses needs Client long,
    documents::migration needs Nodes long,
    documents::quick_start_pcs needs Bare long,
    documents::quick_start_with_two_nodes needs Bare long,
    documents::quick_start_crmsh needs Bare long,
    rolling::there_while_managed_and_back_unmanaged needs PerlClient long,
    rolling::there_and_back_under_maintenance needs PerlClient long,
    rolling::mixed_switchover_and_failover needs PerlClient long,
    rolling::nodes_on_an_earlier_commit_of_this_agent needs SynchronousClient long,
    package::takes_the_place_of_paf_and_goes_without_trace needs Nodes long,
    tools::configuration_tools_accept_the_agent needs Nodes long,
    tools::ocft_passes needs Nodes long,
    tools::parameters_reload_or_restart needs Client long,
];

/// What every Debian release has to pass: names, or beginnings of names. All that an admin does
/// every day, all crashes, and one test of each kind that depends on the versions beneath.
pub const CORE: &[&str] = &[
    "quiet::",
    "two::",
    "power::",
    "crash::",
    "admin::",
    "moves::",
    "ocf::",
    "election::switchover_right_after_the_first_start",
    "rejoin::",
    "proof::refused_promotion_and_its_override",
    "validate::",
    "package::",
    "tools::",
];

/// What the whole test command runs on each of the other releases.
pub const SHORT_ROUND: &[&str] = &["power::cut_at_the_primary", "ocf::tester_passes"];

#[test]
fn every_test_of_a_document_is_registered() {
    for (test, ..) in documents::PLAYED {
        let name = format!("documents::{test}");
        assert!(ALL.iter().any(|case| case.name == name), "{name}");
    }
}
