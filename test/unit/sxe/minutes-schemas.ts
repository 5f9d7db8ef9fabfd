/** One kind of document by two kinds of schema: paragraphs, and a title before them that may be left out. */
export const BY_RNG = `<element name="doc" xmlns="http://relaxng.org/ns/structure/1.0">
  <optional><element name="title"><text/></element></optional>
  <zeroOrMore><element name="p"><optional><attribute name="votes"/></optional><text/></element></zeroOrMore>
</element>`;

export const BY_XSD = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="doc"><xs:complexType><xs:sequence>
    <xs:element name="title" type="xs:string" minOccurs="0"/>
    <xs:element name="p" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:simpleContent>
      <xs:extension base="xs:string"><xs:attribute name="votes" type="xs:nonNegativeInteger"/></xs:extension>
    </xs:simpleContent></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>`;
