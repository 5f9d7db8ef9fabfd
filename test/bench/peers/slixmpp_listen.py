"""Prints messages as JSON lines until it has seen the number given."""
import json
import logging
import os
import sys

import slixmpp

logging.basicConfig(level=logging.CRITICAL)
domain = os.environ["XMPPCTL_SANDBOX_DOMAIN"]


class Listener(slixmpp.ClientXMPP):
    def __init__(self, wanted):
        super().__init__(f"bob@{domain}/slixmpp", os.environ["XMPPCTL_SANDBOX_PASSWORD_BOB"])
        self.ca_certs = os.environ["XMPPCTL_SANDBOX_CA_FILE"]
        self.wanted = wanted
        self.seen = 0
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("message", self.message)

    async def start(self, _event):
        self.send_presence()
        print("ready", file=sys.stderr, flush=True)

    def message(self, message):
        print(json.dumps({"from": str(message["from"]), "id": message["id"], "body": message["body"]}))
        self.seen += 1
        if self.seen == self.wanted:
            sys.stdout.flush()
            os._exit(0)


client = Listener(int(sys.argv[1]))
client.connect((os.environ["XMPPCTL_SANDBOX_HOST"], int(os.environ["XMPPCTL_SANDBOX_PORT"])))
client.process(forever=True)
