import Foundation

/// One word of a text, as searches compare it.
package struct SearchWord: Hashable, Sendable {
    /// The word without what searches do not tell apart: the case of letters, accents, widths and ligatures. Letters, digits, marks and symbols
    /// only, never empty, at most ``maximumScalars`` of them.
    package var folded: String
    /// Where it stands, in UTF-8 bytes from the beginning of the text.
    package var range: Range<Int>

    /// What is beyond this of a word, in Unicode scalars, is not compared.
    package static let maximumScalars = 128
}

/// The words of a text, in order.
///
/// A word is a run of letters and digits. In scripts that are written without spaces between words (Chinese, Japanese, Thai and the like, and
/// Korean, where what stands between spaces has endings) each character is a word of its own, and so is a pictograph: a word as people
/// understand it is a few of them in a row there, wherever it begins.
package struct SearchWords: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0

    /// - Parameter text: the text; it is kept while its words are read.
    package init(_ text: String) {
        self.init(utf8: Array(text.utf8))
    }

    /// - Parameter bytes: the text as UTF-8, which must be that of a `String`.
    init(utf8 bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next word, nil after the last.
    package mutating func next() -> SearchWord? {
        while position < bytes.count {
            let start = position
            let (scalar, length) = scalar(at: start)
            position += length
            switch scalar.searchKind {
            case .letter: if let word = run(from: start, beginningWith: scalar) { return word }
            case .single: if let word = single(from: start, scalar) { return word }
            case .mark, .separator: break
            }
        }
        return nil
    }

    /// A word of which the first letter has been read.
    private mutating func run(from start: Int, beginningWith first: Unicode.Scalar) -> SearchWord? {
        // Letters of the common alphabets are folded one by one, without a look at what is round them.
        var folded: [UInt8]? = []
        folded?.append(folding: first)
        while position < bytes.count {
            let (scalar, length) = scalar(at: position)
            let kind = scalar.searchKind
            guard kind == .letter || kind == .mark else { break }
            if scalar.value < CommonLetters.end { folded?.append(folding: scalar) } else { folded = nil }
            position += length
        }
        guard first.value < CommonLetters.end, let folded else { return word(start..<position) }
        guard !folded.isEmpty else { return nil }
        let text = String(decoding: folded, as: UTF8.self)
        return SearchWord(folded: folded.count > SearchWord.maximumScalars ? text.cutForSearch : text, range: start..<position)
    }

    /// A word of one character, with the marks that are written apart from it.
    private mutating func single(from start: Int, _ first: Unicode.Scalar) -> SearchWord? {
        var isAlone = true
        while position < bytes.count {
            let (scalar, length) = scalar(at: position)
            guard scalar.joinsCharacterBefore else { break }
            position += length
            isAlone = false
        }
        if isAlone, first.isFolded { return SearchWord(folded: String(first), range: start..<position) }
        return word(start..<position)
    }

    private func word(_ range: Range<Int>) -> SearchWord? {
        let folded = String(decoding: bytes[range], as: UTF8.self).foldedForSearch
        return folded.isEmpty ? nil : SearchWord(folded: folded, range: range)
    }

    /// The scalar that begins at a byte; a text is always valid UTF-8.
    private func scalar(at index: Int) -> (Unicode.Scalar, length: Int) {
        let first = bytes[index]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for byte in bytes[index + 1..<index + length] { value = value << 6 | UInt32(byte & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }
}

/// The Latin, Greek and Cyrillic letters and the accents between them, looked up once: what most words are made of.
private enum CommonLetters {
    /// The first scalar beyond.
    static let end: UInt32 = 0x530

    /// What each is to a word.
    static let kinds: [Unicode.Scalar.SearchKind] = scalars.map(\.searchKindByProperties)
    /// What each becomes, in UTF-8.
    static let folded: [[UInt8]] = scalars.map { Array(String($0).foldedForSearch.utf8) }

    private static var scalars: some Sequence<Unicode.Scalar> { (0..<end).lazy.compactMap(Unicode.Scalar.init) }
}

extension [UInt8] {
    /// Appends what a letter becomes, if it is a common one.
    fileprivate mutating func append(folding scalar: Unicode.Scalar) {
        guard scalar.value < CommonLetters.end else { return }
        if scalar.value < 0x80 {
            append(UInt8(truncatingIfNeeded: scalar.value) | ((0x41...0x5A).contains(scalar.value) ? 0x20 : 0))
        } else {
            append(contentsOf: CommonLetters.folded[Int(scalar.value)])
        }
    }
}

extension String {
    /// The text in the form in which words are compared.
    fileprivate var foldedForSearch: String {
        var kept = UnicodeScalarView()
        for scalar in decomposedStringWithCompatibilityMapping.unicodeScalars where !scalar.isAccent && scalar.searchKind != .separator {
            kept.append(scalar)
        }
        // By way of upper case, so that ß meets SS, and ς meets Σ; and there by way of lower case, for ẞ is in upper case already.
        let folded = String(kept).lowercased().uppercased().lowercased().precomposedStringWithCanonicalMapping.unicodeScalars
        // Lower case of some letters comes with an accent of its own.
        return String(UnicodeScalarView(folded.lazy.filter { !$0.isAccent })).cutForSearch
    }

    fileprivate var cutForSearch: String { String(UnicodeScalarView(unicodeScalars.prefix(SearchWord.maximumScalars))) }
}

extension Unicode.Scalar {
    /// What a scalar is to a word.
    fileprivate enum SearchKind {
        /// Begins words and goes on in them.
        case letter
        /// Goes on in a word and begins none.
        case mark
        /// A word of its own.
        case single
        case separator
    }

    fileprivate var searchKind: SearchKind {
        value < CommonLetters.end ? CommonLetters.kinds[Int(value)] : isFolded ? .single : searchKindByProperties
    }

    /// Whether it is one of the many characters that stand for a word alone and have no other form: Han, kana, syllables of Hangul.
    fileprivate var isFolded: Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3041...0x3096, 0x30A1...0x30FA, 0xAC00...0xD7A3, 0x3400...0x4DBF: true
        default: false
        }
    }

    fileprivate var searchKindByProperties: SearchKind {
        if isWrittenWithoutSpaces {
            return switch properties.generalCategory {
            case .otherPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .unassigned: .separator
            default: .single
            }
        }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber,
            .otherNumber:
            return .letter
        case .nonspacingMark, .spacingMark, .enclosingMark, .format: return .mark
        case .otherSymbol: return properties.isEmoji ? .single : .separator
        default: return .separator
        }
    }

    /// Whether it belongs to a script in which nothing stands between words, or not between all that people look for. The blocks are those of
    /// https://www.unicode.org/Public/UNIDATA/Blocks.txt.
    private var isWrittenWithoutSpaces: Bool {
        switch value {
        case 0..<0x0E00: false
        // Thai, Lao, Tibetan, Myanmar; Hangul's letters; Khmer.
        case 0x0E00...0x109F, 0x1100...0x11FF, 0x1780...0x17FF, 0x19E0...0x19FF: true
        // The radicals and signs of Han, kana, Bopomofo, Hangul's letters, Han with what was added later.
        case 0x2E80...0x2FDF, 0x3005...0x3007, 0x3021...0x3029, 0x3031...0x303B, 0x3041...0x318F, 0x31A0...0x31BF, 0x31F0...0x31FF,
            0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA960...0xA97F, 0xA9E0...0xA9FF, 0xAA60...0xAA7F, 0xAC00...0xD7FF, 0xF900...0xFAFF,
            0xFF66...0xFFDC, 0x1B000...0x1B16F, 0x20000...0x3FFFF:
            true
        default: false
        }
    }

    /// Whether it is written apart from the character that it belongs to: a kana's voicing, or a vowel or final of Hangul.
    fileprivate var joinsCharacterBefore: Bool {
        switch value {
        case 0x3099, 0x309A, 0xFF9E, 0xFF9F, 0x1160...0x11FF, 0xD7B0...0xD7FF, 0xFE00...0xFE0F: true
        default: false
        }
    }

    /// Whether words are the same with and without it: the diacritics of the European scripts, the points of Hebrew and Arabic, which are
    /// mostly left out, and what is not seen at all.
    fileprivate var isAccent: Bool {
        switch value {
        case 0x0300...0x036F, 0x0591...0x05BD, 0x05BF, 0x05C1...0x05C7, 0x0640, 0x064B...0x065F, 0x0670, 0x1AB0...0x1AFF,
            0x1DC0...0x1DFF, 0x20D0...0x20FF, 0xFE00...0xFE0F, 0xFE20...0xFE2F:
            true
        default: properties.generalCategory == .format
        }
    }
}
