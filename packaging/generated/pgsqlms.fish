# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_pgsqlms_global_optspecs
    string join \n h/help V/version
end

function __fish_pgsqlms_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_pgsqlms_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_pgsqlms_using_subcommand
    set -l cmd (__fish_pgsqlms_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -s V -l version -d 'Print version'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "start" -d 'Start the instance as a standby'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "stop" -d 'Stop the instance'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "monitor" -d 'Report the state of the instance'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "promote" -d 'Promote the standby to primary, if it wins the election'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "demote" -d 'Demote the primary to standby'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "notify" -d 'Vote before a promotion, copy the shutdown checkpoint after a demotion'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "reload" -d 'Accept changed parameters (nothing to do: each call reads them)'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "reload-agent" -d 'Same as reload, under its OCF 1.1 name'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "meta-data" -d 'Print the agent\'s metadata as XML'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "validate-all" -d 'Validate the parameters on this node'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "methods" -d 'List the actions'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "force-promotion" -d 'Allow one promotion that was refused, even if commits may be lost'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "status" -d 'Show the role and position of each node, what is wrong, and what cures it'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "explain" -d 'Show who would be promoted if nodes were lost now, and why'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "history" -d 'List the elections and promotions that are on record'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "check" -d 'Check as a monitoring plugin, with thresholds and performance data'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "metrics" -d 'Print metrics for Prometheus'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "alert" -d 'Report an event (Pacemaker calls this as an alert agent)'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "role" -d 'Print the role of the local server in one word, for load balancers'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "switchover" -d 'Move the primary to another node, after checking that it can take over'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "rebuild" -d 'Make this node\'s standby anew, from the primary, a standby or a backup'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "lost" -d 'Show what a rewind or a rebuild has thrown away on this node'
complete -c pgsqlms -n "__fish_pgsqlms_needs_command" -f -a "forget" -d 'Put the database of this node in the place of all that was elected before'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand start" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand stop" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand monitor" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand promote" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand demote" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand notify" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand reload" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand reload-agent" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand meta-data" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand validate-all" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand methods" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand force-promotion" -l resource -d 'Id of the resource (the primitive, not the clone), such as pgsqld' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand force-promotion" -l yes -d 'Do not ask for confirmation'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand force-promotion" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand status" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand status" -l cib -d 'Look at a saved cluster instead of the live one; - is standard input' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand status" -l format -d 'Text for people, or JSON for programs' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand status" -l watch -d 'Show it again every so many seconds, until Ctrl-C' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand explain" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand explain" -l cib -d 'Look at a saved cluster instead of the live one; - is standard input' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand explain" -l if-lost -d 'As if these nodes were lost now; without it, the node of the primary' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand explain" -l if-stopped -d 'Whether this node can be stopped now: who takes over, whether commits go on, and whether a majority is left' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand explain" -l format -d 'Text for people, or JSON for programs' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand history" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand history" -l cib -d 'Look at a saved cluster instead of the live one; - is standard input' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand history" -l format -d 'Text for people, or JSON for programs' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand history" -l log -d 'The log that is read for --last' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand history" -l last -d 'Show the course of the last promotion, as the log of Pacemaker on this node has it'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -l cib -d 'Look at a saved cluster instead of the live one; - is standard input' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -s w -l warning -d 'Warn outside of this range, such as lag=16MB or standbys=2:' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -s c -l critical -d 'Critical outside of this range' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -l format -d 'Text for people, or JSON for programs, of --setup' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -l only -d 'Only these problems count, by their ids' -r -f -a "address\t''
boot-start\t''
clock\t''
clone\t''
cluster\t''
commits-wait\t''
configuration\t''
constraint-left\t''
disabled\t''
diverged\t''
evidence-unreadable\t''
excluded\t''
failed-action\t''
failures\t''
fence-tools\t''
fencing\t''
fencing-failed\t''
fencing-off\t''
firewall\t''
force-pending\t''
foreign-score\t''
half-rewound\t''
impaired\t''
listen\t''
load-threshold\t''
maintenance\t''
monitors\t''
name\t''
no-answer\t''
no-fence-device\t''
no-primary\t''
no-quorum\t''
nobody-ready\t''
node-standby\t''
not-connected\t''
not-elected\t''
not-running\t''
offline\t''
other-database\t''
own-address\t''
pacemaker-down\t''
pg-hba\t''
postgresql\t''
rebuild-interrupted\t''
replay-behind\t''
replay-paused\t''
replay-still\t''
rights\t''
rights-missing\t''
rings\t''
settings-too-small\t''
several-primaries\t''
timeouts\t''
upgrades\t''"
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -l ignore -d 'These problems do not count' -r -f -a "address\t''
boot-start\t''
clock\t''
clone\t''
cluster\t''
commits-wait\t''
configuration\t''
constraint-left\t''
disabled\t''
diverged\t''
evidence-unreadable\t''
excluded\t''
failed-action\t''
failures\t''
fence-tools\t''
fencing\t''
fencing-failed\t''
fencing-off\t''
firewall\t''
force-pending\t''
foreign-score\t''
half-rewound\t''
impaired\t''
listen\t''
load-threshold\t''
maintenance\t''
monitors\t''
name\t''
no-answer\t''
no-fence-device\t''
no-primary\t''
no-quorum\t''
nobody-ready\t''
node-standby\t''
not-connected\t''
not-elected\t''
not-running\t''
offline\t''
other-database\t''
own-address\t''
pacemaker-down\t''
pg-hba\t''
postgresql\t''
rebuild-interrupted\t''
replay-behind\t''
replay-paused\t''
replay-still\t''
rights\t''
rights-missing\t''
rings\t''
settings-too-small\t''
several-primaries\t''
timeouts\t''
upgrades\t''"
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -l setup -d 'Look at how this machine and the cluster are set up instead: also before the first start'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand metrics" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand metrics" -l cib -d 'Look at a saved cluster instead of the live one; - is standard input' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand metrics" -l output -d 'Write them to this file, which is replaced as a whole' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand metrics" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand alert" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand role" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand role" -l host -d 'The server\'s socket directory, where Pacemaker is not asked or does not answer' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand role" -l port -d 'The server\'s port, the same' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand role" -l haproxy -d 'Answer as an agent of HAProxy does: up ready, maint or down'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand role" -l sql-only -d 'Believe the server alone, and do not ask Pacemaker who was elected'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand role" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand switchover" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand switchover" -l to -d 'The node that is to be the primary' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand switchover" -l timeout -d 'How long to wait for the new primary' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand switchover" -l dry-run -d 'Only look, and say whether it could be done'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand switchover" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l from -d 'Copy from this node, such as a standby, in the place of the host in primary_conninfo' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l conninfo -d 'Connect so, and not by primary_conninfo' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l command -d 'Have this command fill $PGDATA, as the user of PostgreSQL, in the place of pg_basebackup' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l max-rate -d 'Copy no faster than this per second, as pg_basebackup has it: 500k, 32M' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l waldir -d 'Where the new WAL goes, if pg_wal is a link: an empty directory' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l tablespace-mapping -d 'Where the files of a table space go; once for each table space' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l discard -d 'Give up what only this node may hold, such as commits of the last primary'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l keep-old -d 'Leave the old data beside the new ones'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l give-up -d 'Take back a rebuild that was interrupted; the old data stay'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l dry-run -d 'Only look, and say whether it could be done'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -l yes -d 'Do not ask for confirmation'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand rebuild" -s h -l help -d 'Print help'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand lost" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand lost" -l format -d 'Text for people, or JSON for programs' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand lost" -l id -d 'Only this one, as the list names it' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand lost" -l save -d 'Copy the WAL to this directory, which must not exist; with --id if there are several' -r -F
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand lost" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand forget" -l resource -d 'Id of the resource (the primitive, not the clone); may be left out where there is one' -r
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand forget" -l dry-run -d 'Only show what would be forgotten'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand forget" -l yes -d 'Do not ask for confirmation'
complete -c pgsqlms -n "__fish_pgsqlms_using_subcommand forget" -s h -l help -d 'Print help'
