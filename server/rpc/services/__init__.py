"""The five services of elige.v1. A servicer translates, asks the service, translates back: nothing else."""
