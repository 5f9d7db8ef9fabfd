"""One message with slixmpp, as its own example does it; with a count, that many (stdin: one body a line)."""
import asyncio
import logging
import os
import sys

import slixmpp

logging.basicConfig(level=logging.CRITICAL)
domain = os.environ["XMPPCTL_SANDBOX_DOMAIN"]


class Sender(slixmpp.ClientXMPP):
    def __init__(self):
        user = next((word[5:] for word in sys.argv if word.startswith("--as=")), "alice")
        super().__init__(f"{user}@{domain}", os.environ[f"XMPPCTL_SANDBOX_PASSWORD_{user.upper()}"])
        self.ca_certs = os.environ["XMPPCTL_SANDBOX_CA_FILE"]
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_auth", lambda _: os._exit(4))
        if "--acknowledged" in sys.argv:
            self.register_plugin("xep_0199")

    async def start(self, _event):
        if "--per-line" in sys.argv:
            for number, line in enumerate(sys.stdin):
                self.send_message(mto=f"bob@{domain}", mbody=line.rstrip("\n"), mtype="chat")
                if number % 100 == 99:
                    await asyncio.sleep(0)
        else:
            self.send_message(mto=f"bob@{domain}", mbody="hello", mtype="chat")
        if "--acknowledged" in sys.argv:
            await self["xep_0199"].send_ping(domain, timeout=120)
        self.disconnect()


client = Sender()
client.connect((os.environ["XMPPCTL_SANDBOX_HOST"], int(os.environ["XMPPCTL_SANDBOX_PORT"])))
client.process(forever=False)
