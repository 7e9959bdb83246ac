"""Print the ROAS of each channel of each run that became current."""

import json

from google.cloud import pubsub_v1

seen = set()


def receive(message):
    """Take one delivery of an event; the same event may come again."""
    event = json.loads(message.data)
    if event["id"] not in seen and event["type"] == "mmm.run.succeeded":
        seen.add(event["id"])
        for channel in event["data"]["best_model"]["channels"]:
            print(event["data"]["market"], channel["name"], channel.get("roas"))
    message.ack()


with pubsub_v1.SubscriberClient() as subscriber:
    subscriber.subscribe("projects/PROJECT/subscriptions/SUBSCRIPTION", receive).result()
