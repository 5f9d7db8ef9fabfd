"""A straightforward converter with lxml: accounts of an XEP-0227 file, one after the other, cards into PEP nodes.

    python3 lxml_convert.py INPUT OUTPUT        converts and writes
    python3 lxml_convert.py INPUT               only parses
"""
import base64
import hashlib
import re
import sys
from xml.sax.saxutils import quoteattr

from lxml import etree

PIE = "{urn:xmpp:pie:0}"
TEMP = "{vcard-temp}"
VCARD4 = "urn:ietf:params:xml:ns:vcard-4.0"
SIMPLE = {"NICKNAME": "nickname", "TITLE": "title", "ROLE": "role", "DESC": "note", "NOTE": "note"}
ADR = [("POBOX", "pobox"), ("EXTADD", "ext"), ("STREET", "street"), ("LOCALITY", "locality"),
       ("REGION", "region"), ("PCODE", "code"), ("CTRY", "country")]
NAME = [("FAMILY", "surname"), ("GIVEN", "given"), ("MIDDLE", "additional"), ("PREFIX", "prefix"), ("SUFFIX", "suffix")]
TYPES = {"HOME", "WORK", "CELL", "VOICE", "FAX", "VIDEO", "PAGER"}
NODES = ("urn:xmpp:avatar:data", "urn:xmpp:avatar:metadata", "urn:xmpp:vcard4")


def text_of(element, name):
    return (element.findtext(TEMP + name) or "").strip()


def sniff(data):
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"GIF8"):
        return "image/gif"
    return "image/webp" if data[8:12] == b"WEBP" else None


def add(parent, name, kind, value, types=()):
    prop = etree.SubElement(parent, f"{{{VCARD4}}}{name}")
    if types:
        param = etree.SubElement(etree.SubElement(prop, f"{{{VCARD4}}}parameters"), f"{{{VCARD4}}}type")
        for each in types:
            etree.SubElement(param, f"{{{VCARD4}}}text").text = each
    etree.SubElement(prop, f"{{{VCARD4}}}{kind}").text = value


def convert(card):
    out = etree.Element(f"{{{VCARD4}}}vcard", nsmap={None: VCARD4})
    avatar = None
    for child in card:
        name = etree.QName(child).localname
        types = [etree.QName(each).localname.lower() for each in child if etree.QName(each).localname in TYPES]
        if name == "FN":
            add(out, "fn", "text", (child.text or "").strip())
        elif name == "N":
            prop = etree.SubElement(out, f"{{{VCARD4}}}n")
            for old, new in NAME:
                etree.SubElement(prop, f"{{{VCARD4}}}{new}").text = text_of(child, old)
        elif name in SIMPLE:
            add(out, SIMPLE[name], "text", (child.text or "").strip())
        elif name == "BDAY":
            value = (child.text or "").strip()
            add(out, "bday", "date" if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else "text", value)
        elif name == "EMAIL":
            add(out, "email", "text", text_of(child, "USERID"), types)
        elif name == "TEL":
            add(out, "tel", "uri", "tel:" + text_of(child, "NUMBER").replace(" ", "-"), types)
        elif name == "ADR":
            prop = etree.SubElement(out, f"{{{VCARD4}}}adr")
            for old, new in ADR:
                etree.SubElement(prop, f"{{{VCARD4}}}{new}").text = text_of(child, old)
        elif name == "ORG":
            prop = etree.SubElement(out, f"{{{VCARD4}}}org")
            for each in child:
                etree.SubElement(prop, f"{{{VCARD4}}}text").text = each.text
        elif name == "URL":
            add(out, "url", "uri", (child.text or "").strip())
        elif name == "PHOTO":
            data = base64.b64decode(re.sub(r"\s+", "", text_of(child, "BINVAL")))
            media_type = sniff(data)
            if media_type:
                avatar = (hashlib.sha1(data).hexdigest(), media_type, data)
    return out, avatar


def configure(node):
    return (f'<configure node="{node}"><x xmlns="jabber:x:data" type="submit">'
            '<field var="FORM_TYPE" type="hidden"><value>http://jabber.org/protocol/pubsub#node_config</value></field>'
            '<field var="pubsub#access_model"><value>open</value></field></x></configure>').encode()


def write_account(out, user):
    out.write(f"<user name={quoteattr(user.get('name'))}>".encode())
    pep = None
    for child in user:
        if child.tag == TEMP + "vCard":
            pep = convert(child)
            continue
        if child.tag == "{urn:xmpp:pie:0#scram}scram-credentials":
            for each in child:
                if etree.QName(each).localname != "iter-count":
                    each.text = base64.b64decode(each.text).decode()
        out.write(etree.tostring(child, encoding="utf-8"))
    if pep:
        card, avatar = pep
        nodes = NODES if avatar else NODES[2:]
        out.write(b'<pubsub xmlns="http://jabber.org/protocol/pubsub#owner">')
        for node in nodes:
            out.write(configure(node))
        out.write(b'</pubsub><pubsub xmlns="http://jabber.org/protocol/pubsub">')
        if avatar:
            digest, media_type, data = avatar
            out.write(f'<items node="{NODES[0]}"><item id="{digest}"><data xmlns="{NODES[0]}">'.encode())
            out.write(base64.b64encode(data))
            out.write(f'</data></item></items><items node="{NODES[1]}"><item id="{digest}"><metadata xmlns="{NODES[1]}">'
                      f'<info id="{digest}" bytes="{len(data)}" type="{media_type}"/></metadata></item></items>'.encode())
        out.write(f'<items node="{NODES[2]}"><item id="current">'.encode())
        out.write(etree.tostring(card, encoding="utf-8"))
        out.write(b"</item></items></pubsub>")
    out.write(b"</user>")


def accounts(file):
    for _, element in etree.iterparse(file, events=("end",), tag=(PIE + "user",), huge_tree=True):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def main():
    count = 0
    if len(sys.argv) < 3:
        for _ in accounts(sys.argv[1]):
            count += 1
    else:
        with open(sys.argv[2], "wb", buffering=1 << 20) as out:
            out.write(b"<?xml version='1.0' encoding='UTF-8'?><server-data xmlns='urn:xmpp:pie:0'>")
            host = None
            for user in accounts(sys.argv[1]):
                if host is None:
                    host = user.getparent().get("jid")
                    out.write(f"<host jid={quoteattr(host)}>".encode())
                write_account(out, user)
                count += 1
            out.write(b"</host></server-data>" if host else b"</server-data>")
    print(count)


main()
