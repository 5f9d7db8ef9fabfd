"""An in-band bytestream from alice to bob with slixmpp, which sends a block and waits for its answer. Both ends are in
this process. Prints MiB/s, from the opening to the answered close. Usage: slixmpp_in_band.py BLOCK-SIZE BYTES"""
import asyncio
import logging
import os
import sys
import time

import slixmpp

logging.basicConfig(level=logging.CRITICAL)
domain = os.environ["XMPPCTL_SANDBOX_DOMAIN"]
block_size, count = int(sys.argv[1]), int(sys.argv[2])


class Client(slixmpp.ClientXMPP):
    def __init__(self, name):
        super().__init__(f"{name}@{domain}/slixmpp", os.environ[f"XMPPCTL_SANDBOX_PASSWORD_{name.upper()}"])
        self.ca_certs = os.environ["XMPPCTL_SANDBOX_CA_FILE"]
        self.register_plugin("xep_0047")
        self.online = asyncio.Future()
        self.add_event_handler("session_start", lambda _: self.online.set_result(True))
        self.add_event_handler("failed_auth", lambda _: os._exit(4))
        self.connect((os.environ["XMPPCTL_SANDBOX_HOST"], int(os.environ["XMPPCTL_SANDBOX_PORT"])))


async def copy(alice, bob, size):
    arrived = asyncio.Future()

    async def receive(stream):
        arrived.set_result(await stream.gather(timeout=600))

    bob.add_event_handler("ibb_stream_start", receive, disposable=True)
    content = os.urandom(size)
    started = time.monotonic()
    stream = await alice["xep_0047"].open_stream(bob.boundjid, block_size=block_size)
    await stream.sendall(content)
    await stream.close()
    elapsed = time.monotonic() - started
    if await arrived != content:
        raise ValueError("what arrived is not what was sent")
    return size / 1024 / 1024 / elapsed


async def main():
    alice, bob = Client("alice"), Client("bob")
    await asyncio.gather(alice.online, bob.online)
    bob["xep_0047"].auto_accept = True
    bob["xep_0047"].max_block_size = 65535
    await copy(alice, bob, 64 * 1024)
    print(await copy(alice, bob, count), flush=True)
    os._exit(0)


asyncio.get_event_loop().run_until_complete(main())
