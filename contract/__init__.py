"""The data that trigger and job share: configs, requests, ids, states and events."""
