import ParleyCore
import Testing

/// The settlement table, row by row.
@Suite struct SettlementTests {
    @Test(arguments: [
        // status, model called, something said, person, system
        (Turn.Status.failed, false, false, 0, 0), (.cancelled, false, false, 0, 0), (.interrupted, false, false, 0, 0),
        (.failed, true, false, 0, 1), (.cancelled, true, false, 0, 1), (.failed, true, true, 0, 1), (.cancelled, true, true, 1, 1),
        (.completed, true, true, 1, 1), (.completed, true, false, 1, 1), (.interrupted, true, false, 0, 1),
        (.interrupted, true, true, 0, 1),
    ])
    func rows(status: Turn.Status, calledModel: Bool, saidSomething: Bool, person: Int, system: Int) {
        let settlement = Settlement(status: status, calledModel: calledModel, saidSomething: saidSomething)
        #expect(settlement.chargesPerson == (person == 1) && settlement.chargesSystem == (system == 1))
    }

    @Test func aDeadProcessCostsItsPersonNothing() {
        #expect(!Settlement(.interrupted).chargesPerson && Settlement(.interrupted).chargesSystem)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:db8::1", "2001:db8:0:0::/64"),
        ("2001:DB8:0:0:1:2:3:4", "2001:db8:0:0::/64"), ("gateway-7", "gateway-7"), ("192.0.2.1:80", "192.0.2.1:80"), ("", nil),
        (String(repeating: "x", count: 257), nil),
    ])
    func addresses(text: String, canonical: String?) {
        #expect(ClientAddress(text)?.text == canonical)
    }
}
