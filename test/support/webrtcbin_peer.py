"""A second media peer: GStreamer's webrtcbin (libnice, OpenSSL). Lines of JSON on stdin and stdout.

Sends a tone and writes what it hears as raw PCM (s16le, 48 kHz, mono) to the file that is named.
"""
import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

Gst.init(None)
target, hertz, video = sys.argv[1], sys.argv[2], sys.argv[3] == "video"
description = (
    "webrtcbin name=peer bundle-policy=max-bundle "
    f"audiotestsrc is-live=true freq={hertz} volume=0.3 ! audioconvert ! audioresample ! opusenc ! rtpopuspay pt=111 "
    "! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! peer. "
)
if video:
    description += (
        "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=15/1 ! vp8enc deadline=1 "
        "! rtpvp8pay pt=96 ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer. "
    )
pipeline = Gst.parse_launch(description)
peer = pipeline.get_by_name("peer")
# Kept: without a reference of ours it is gone.
agent = peer.get_property("ice-agent")
agent.emit("add-local-ip-address", "127.0.0.1")
loop = GLib.MainLoop()


def say(**message):
    print(json.dumps(message), flush=True)


def offer_made(promise, *_):
    # The reply owns the description: it must outlive it.
    reply = promise.get_reply()
    offer = reply.get_value("offer")
    text = offer.sdp.as_text()
    peer.emit("set-local-description", offer, Gst.Promise.new())
    say(offer=text)


def negotiate(*_):
    peer.emit("create-offer", None, Gst.Promise.new_with_change_func(offer_made, None))


def heard(_peer, pad):
    if pad.direction != Gst.PadDirection.SRC:
        return
    caps = pad.get_current_caps().get_structure(0)
    if caps.get_string("media") == "audio":
        tail = (
            "queue ! rtpopusdepay ! opusdec ! audioconvert ! audioresample "
            f"! audio/x-raw,format=S16LE,rate=48000,channels=1 ! filesink location={target} buffer-mode=unbuffered"
        )
    else:
        tail = "queue ! rtpvp8depay ! vp8dec ! fakesink name=pictures signal-handoffs=true sync=false"
    branch = Gst.parse_bin_from_description(tail, True)
    pipeline.add(branch)
    branch.sync_state_with_parent()
    pad.link(branch.get_static_pad("sink"))
    pictures = branch.get_by_name("pictures")
    if pictures:
        pictures.connect("handoff", lambda *_: say(picture=True))


def listen():
    for line in sys.stdin:
        message = json.loads(line)
        if "answer" in message:
            _, sdp = GstSdp.SDPMessage.new_from_text(message["answer"])
            answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
            peer.emit("set-remote-description", answer, Gst.Promise.new())
        if "candidate" in message:
            peer.emit("add-ice-candidate", 0, message["candidate"])
    GLib.idle_add(loop.quit)


peer.connect("on-negotiation-needed", negotiate)
peer.connect("on-ice-candidate", lambda _peer, _line, candidate: say(candidate=candidate))
peer.connect("notify::connection-state", lambda *_: say(state=peer.get_property("connection-state").value_nick))
peer.connect("pad-added", heard)
threading.Thread(target=listen, daemon=True).start()
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
