"""Publishes items to a node with slixmpp, all at once with asyncio.gather, as its users do."""
import asyncio
import logging
import os
import sys
from xml.etree import ElementTree

import slixmpp

logging.basicConfig(level=logging.CRITICAL)
domain = os.environ["XMPPCTL_SANDBOX_DOMAIN"]
service = os.environ["XMPPCTL_SANDBOX_PUBSUB"]
node, count = sys.argv[1], int(sys.argv[2])


class Publisher(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__(f"alice@{domain}", os.environ["XMPPCTL_SANDBOX_PASSWORD_ALICE"])
        self.ca_certs = os.environ["XMPPCTL_SANDBOX_CA_FILE"]
        self.register_plugin("xep_0060")
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_auth", lambda _: os._exit(4))

    async def start(self, _event):
        def publish(number):
            payload = ElementTree.fromstring(f"<n xmlns='urn:n'>{number}</n>")
            return self["xep_0060"].publish(service, node, id=str(number), payload=payload, timeout=120)

        await asyncio.gather(*(publish(number) for number in range(count)))
        self.disconnect()


client = Publisher()
client.connect((os.environ["XMPPCTL_SANDBOX_HOST"], int(os.environ["XMPPCTL_SANDBOX_PORT"])))
client.process(forever=False)
