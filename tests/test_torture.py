"""A little of each fault that `make torture` injects by the thousand."""
import harness
import torture_clock
import torture_disk
import torture_kill
import torture_store
import torture_worker

for kind in (torture_kill, torture_worker, torture_disk, torture_store, torture_clock):
    kind.torture(long=False)
harness.finish()
