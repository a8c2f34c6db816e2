#!/bin/bash
# cluster.sh up|down FOLDER: a Slurm of two nodes of one core each, on loopback, for one test. All its
# state is in FOLDER; the daemons are ended by their recorded numbers.
set -euo pipefail
action=$1 state=$2 port=${SLURM_TEST_PORT:-17400}
export SLURM_CONF=$state/slurm.conf

# within TRIES COMMAND…: until it succeeds, a tenth of a second apart.
within() {
    local left=$1
    shift
    until "$@" >/dev/null 2>&1; do
        [ $((left -= 1)) -gt 0 ] || return 1
        read -rt 0.1 <>"$state/pipe" || true
    done
}

write_config() {
    local memory
    memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 3072))
    cat <<END
ClusterName=histolrp
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge.socket
CryptoType=crypto/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$state/save
SlurmdSpoolDir=$state/spool-%n
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd-%n.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,bf_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
RequeueExit=75
KillWait=15
ReturnToService=2
MinJobAge=900
NodeName=node[1-2] NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((port + 1))-$((port + 2)) CPUs=1 RealMemory=$memory
PartitionName=night Nodes=ALL Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=urgent Nodes=ALL PriorityTier=9 PreemptMode=OFF
END
}

all_idle() { [ "$(sinfo -h -p night -N -t idle -o %N | wc -l)" = 2 ]; }

up() {
    umask 022
    mkdir -p "$state"/{save,spool-node1,spool-node2}
    [ -p "$state/pipe" ] || mkfifo "$state/pipe"
    write_config >"$SLURM_CONF"
    (umask 077 && mungekey --create --keyfile "$state/munge.key")
    munged --force --key-file="$state/munge.key" --socket="$state/munge.socket" \
        --pid-file="$state/munged.pid" --log-file="$state/munged.log" --seed-file="$state/seed"
    within 100 munge -n -S "$state/munge.socket"
    slurmctld
    slurmd -N node1
    slurmd -N node2
    within 150 all_idle || { sinfo -N -l >&2; tail -n 5 "$state"/*.log >&2; return 1; }
}

down() {
    local file pid
    scancel -u root 2>/dev/null || true
    for file in "$state"/slurmd-node*.pid "$state/slurmctld.pid" "$state/munged.pid"; do
        [ -s "$file" ] || continue
        pid=$(<"$file")
        kill -TERM "$pid" 2>/dev/null || continue
        within 100 test ! -e "/proc/$pid/exe" || kill -KILL "$pid" 2>/dev/null || true
    done
}
"$action"
