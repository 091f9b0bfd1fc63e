#!/bin/bash
# Two workers on two machines: sbatch docs/slurm.sh
#SBATCH --job-name=ptb
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --requeue
#SBATCH --signal=TERM@60
# Slurm sends SIGTERM a minute before the time is over: the run saves, and `sbatch` with the same script goes on.
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed 's/$/:2222/' | paste -sd,)
srun --kill-on-bad-exit=0 --wait=60 bash -c "exec python ptb_word_lm.py --config=medium --set batch_size=40 \
    --data_path=data/ptb --save_path=runs/medium_two --save_every=600 \
    --worker_hosts=$hosts --task_index=\$SLURM_PROCID"
status=$?
case $status in
    75 | 137) # a worker was lost; 137: it was killed
        [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ] && scontrol requeue "$SLURM_JOB_ID"
        ;;
esac
exit $status
