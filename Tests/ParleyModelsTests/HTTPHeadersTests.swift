import Testing

@testable import ParleyModels

@Suite("HTTP headers")
struct HTTPHeadersTests {
    @Test(
        "Lines as servers send them",
        arguments: [
            ("", []),
            ("A: 1\r\nb:2\r\nC:\t 3 \t\r\n\r\n", [("A", "1"), ("b", "2"), ("C", "3")]),
            ("A: 1\nB: 2\n\n", [("A", "1"), ("B", "2")]),
            ("A:\r\nB: x:y\r\n\r\n", [("A", ""), ("B", "x:y")]),
            ("A: 1\r\n  folded\r\n\tagain\r\nB: 2\r\n\r\n", [("A", "1 folded again"), ("B", "2")]),
            (" folded to nothing\r\nno colon\r\nA: 1\r\n\r\n", [("A", "1")]),
            ("Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n", [("Set-Cookie", "a"), ("Set-Cookie", "b")]),
            ("A: ünï\r\n\r\n", [("A", "ünï")]),
        ] as [(String, [(String, String)])])
    func parsing(lines: String, fields: [(String, String)]) {
        let headers = HTTPHeaders(parsing: Array(lines.utf8)[...])
        #expect(headers.fields == fields.map { HTTPHeaders.Field(name: $0, value: $1) })
    }

    @Test("Names are looked up without regard to case, and the first counts")
    func lookUp() {
        var headers: HTTPHeaders = ["Retry-After": "7", "retry-after": "8"]
        #expect(headers["RETRY-AFTER"] == "7")
        #expect(headers["Retry-Afte"] == nil)
        #expect(headers["retry_after"] == nil)
        headers.append(name: "X-[", value: "1")
        #expect(headers["x-{"] == nil)
    }

    @Test("A description names the fields and keeps their values")
    func description() {
        let headers: HTTPHeaders = ["Authorization": "Bearer canary", "Accept": "text/event-stream"]
        #expect("\(headers)" == "Authorization, Accept")
    }
}
