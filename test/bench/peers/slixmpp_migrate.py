"""Moves cards with slixmpp, a session for each account, twenty at a time. Facts about the server on standard input."""
import asyncio
import hashlib
import json
import logging
import ssl
import sys
from xml.etree import ElementTree

import slixmpp

logging.basicConfig(level=logging.CRITICAL)
facts = json.load(sys.stdin)
accounts = open(sys.argv[1]).read().split()
passwords = {account["jid"]: account["password"] for account in facts["accounts"].values()}
moved = 0


class Mover(slixmpp.ClientXMPP):
    def __init__(self, jid):
        super().__init__(jid, passwords[jid])
        self.ca_certs = facts["caFile"]
        for plugin in ("xep_0054", "xep_0060", "xep_0084"):
            self.register_plugin(plugin)
        self.done = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_auth", lambda _: self.done.set_exception(RuntimeError("login failed")))

    async def start(self, _event):
        global moved
        try:
            card = (await self["xep_0054"].get_vcard(timeout=120))["vcard_temp"]
            photo = card["PHOTO"]["BINVAL"]
            if photo:
                await self["xep_0084"].publish_avatar(photo, timeout=120)
                avatar = hashlib.sha1(photo).hexdigest()
                await self["xep_0084"].publish_avatar_metadata(
                    items=[{"id": avatar, "type": "image/gif", "bytes": str(len(photo))}], timeout=120
                )
            payload = ElementTree.fromstring(
                "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>x</text></fn></vcard>"
            )
            payload[0][0].text = card["FN"]
            await self["xep_0060"].publish(None, "urn:xmpp:vcard4", id="current", payload=payload, timeout=120)
            moved += 1
            await self.disconnect()
            self.done.set_result(None)
        except Exception as error:
            self.done.set_exception(error)


async def main():
    turns = asyncio.Semaphore(20)

    async def move(jid):
        async with turns:
            client = Mover(jid)
            client.connect((facts["host"], facts["ports"]["c2s"]))
            await client.done

    await asyncio.gather(*(move(jid) for jid in accounts))
    print(moved)


asyncio.get_event_loop().run_until_complete(main())
