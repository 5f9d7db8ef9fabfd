"""Prints items of notifications as JSON lines until it has seen the number given."""
import json
import logging
import os
import sys
from xml.etree import ElementTree

import slixmpp

logging.basicConfig(level=logging.CRITICAL)
domain = os.environ["XMPPCTL_SANDBOX_DOMAIN"]


class Watcher(slixmpp.ClientXMPP):
    def __init__(self, wanted):
        super().__init__(f"bob@{domain}/slixmpp", os.environ["XMPPCTL_SANDBOX_PASSWORD_BOB"])
        self.ca_certs = os.environ["XMPPCTL_SANDBOX_CA_FILE"]
        self.register_plugin("xep_0060")
        self.wanted = wanted
        self.seen = 0
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("pubsub_publish", self.published)

    async def start(self, _event):
        self.send_presence()

    def published(self, message):
        items = message["pubsub_event"]["items"]
        for item in items["substanzas"]:
            payload = ElementTree.tostring(item["payload"], encoding="unicode")
            print(json.dumps({"node": items["node"], "id": item["id"], "payload": payload}))
            self.seen += 1
            if self.seen == self.wanted:
                sys.stdout.flush()
                os._exit(0)


client = Watcher(int(sys.argv[1]))
client.connect((os.environ["XMPPCTL_SANDBOX_HOST"], int(os.environ["XMPPCTL_SANDBOX_PORT"])))
client.process(forever=True)
