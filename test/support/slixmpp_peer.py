"""A client that is not ours. Usage: slixmpp_peer.py HOST:PORT JID CA MODE [ARGUMENT…]; the password is in PEER_PASSWORD.

Says its full address on stderr when it is online. Bytes come from stdin and go to stdout.
  ibb-send PEER SID BLOCK-SIZE iq|message     opens an in-band bytestream, sends stdin, closes it
  ibb-receive MAX-BLOCK-SIZE                  takes one in-band bytestream
  message PEER BODY                           sends one message
  session PEER BODY                           what a client does that people use: roster, features, carbons, bookmarks,
                                              with stream management; then one message
  si-send PEER NAME SIZE METHOD [ranged]      offers a file by stream initiation, and sends stdin from where it is asked to
"""
import asyncio
import logging
import os
import sys
import traceback

import slixmpp

logging.basicConfig(level=logging.ERROR)
address, jid, ca, mode, *arguments = sys.argv[1:]
BYTESTREAMS = "http://jabber.org/protocol/bytestreams"
IBB = "http://jabber.org/protocol/ibb"


class Peer(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__(jid, os.environ["PEER_PASSWORD"])
        self.ca_certs = ca
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_auth", lambda _: os._exit(4))
        for plugin in ("xep_0030", "xep_0047", "xep_0065", "xep_0095", "xep_0096", "xep_0199"):
            self.register_plugin(plugin)
        if mode == "session":
            for plugin in ("xep_0048", "xep_0092", "xep_0198", "xep_0280"):
                self.register_plugin(plugin)

    async def start(self, _event):
        if mode == "ibb-receive":
            self["xep_0047"].auto_accept = True
            self["xep_0047"].max_block_size = int(arguments[0])
            self.add_event_handler("ibb_stream_start", self.receive)
        self.send_presence()
        print(self.boundjid.full, file=sys.stderr, flush=True)
        if mode == "ibb-receive":
            return
        try:
            await {"ibb-send": self.send_in_band, "message": self.send_one, "session": self.be_a_client}.get(mode, self.offer)()
            code = 0
        except slixmpp.exceptions.IqError as error:
            print(f"refused: {error.condition}: {error.text}", file=sys.stderr, flush=True)
            code = 1
        except Exception:  # or it would wait for ever
            traceback.print_exc()
            code = 2
        await self.disconnect()
        os._exit(code)

    async def receive(self, stream):
        sys.stdout.buffer.write(await stream.gather(timeout=100))
        sys.stdout.buffer.flush()
        await self.disconnect()
        os._exit(0)

    async def send_one(self):
        peer, body = arguments
        self.send_message(mto=peer, mbody=body, mtype="chat")
        await self["xep_0199"].ping(self.boundjid.domain, timeout=60)  # it is answered behind the message

    async def be_a_client(self):
        await self.get_roster(timeout=60)
        await self["xep_0030"].get_info(jid=self.boundjid.domain, timeout=60)
        await self["xep_0030"].get_items(jid=self.boundjid.domain, timeout=60)
        await self["xep_0280"].enable(timeout=60)
        await self["xep_0092"].get_version(self.boundjid.domain, timeout=60)
        await self.send_one()
        self["xep_0198"].request_ack()

    async def send_in_band(self):
        peer, sid, block_size, stanza = arguments
        stream = await self["xep_0047"].open_stream(
            slixmpp.JID(peer), block_size=int(block_size), sid=sid, use_messages=stanza == "message", timeout=20
        )
        await stream.sendall(sys.stdin.buffer.read(), timeout=60)
        await stream.close(timeout=60)

    async def offer(self):
        peer, name, size, method, *options = arguments
        content = sys.stdin.buffer.read()
        reply = await self["xep_0096"].request_file_transfer(
            slixmpp.JID(peer),
            sid="si-1",
            name=name,
            size=int(size),
            desc="from an old client",
            allow_ranged="ranged" in options,
            mime_type="text/plain",
            methods=[{"value": each} for each in method.split(",")],
            timeout=60,
        )
        fields = reply["si"]["feature_neg"]["form"].get_values()
        offset = int(reply["si"]["file"]["range"]["offset"] or 0) if reply["si"].xml.find(".//{*}range") is not None else 0
        print(f"accepted {fields['stream-method']} {offset}", file=sys.stderr, flush=True)
        if fields["stream-method"] == IBB:
            stream = await self["xep_0047"].open_stream(slixmpp.JID(peer), sid="si-1", timeout=20)
            await stream.sendall(content[offset:], timeout=60)
            await stream.close(timeout=60)
        else:
            socket = await self["xep_0065"].handshake(slixmpp.JID(peer), sid="si-1", timeout=20)
            await socket.write(content[offset:])
            socket.transport.write_eof()
            await asyncio.sleep(2)


host, port = address.rsplit(":", 1)
client = Peer()
client.connect((host, int(port)))
client.process(forever=True)
