"""What passes between the trigger and the job: configs, requests, ids, states, events."""
