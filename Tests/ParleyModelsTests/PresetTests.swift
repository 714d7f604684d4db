import JSON
import ParleyCore
import ParleyModels
import Testing

struct PresetTests {
    @Test(arguments: [
        [:], ["MINIMAX_API_KEY": "", "OPENAI_API_KEY": " \n", "ANTHROPIC_API_KEY": "\t"],
        ["MINIMAX_BASE_URL": "https://example.com", "OPENAI_MODEL": "x", "ANTHROPIC_MODEL": "y"],
    ])
    func unconnectedWithoutAKey(environment: [String: String]) {
        for preset in Preset.allCases { #expect(preset.configuration(environment: environment) == nil) }
    }

    @Test func minimax() throws {
        let environment = ["MINIMAX_API_KEY": "m\n", "OPENAI_API_KEY": "o", "ANTHROPIC_API_KEY": "a"]
        let preset = try #require(Preset.minimax.configuration(environment: environment))
        guard case .openAI(let configuration) = preset else {
            Issue.record("not OpenAI's protocol")
            return
        }
        #expect(configuration.name == "minimax")
        #expect(configuration.baseURL == "https://api.minimax.io/v1")
        #expect(configuration.apiKey == "m")
        #expect(configuration.models.first == ModelDescription(model: "MiniMax-M3", contextWindow: 1_000_000))
        #expect(
            configuration.models.dropFirst().map(\.model) == [
                "MiniMax-M2.7", "MiniMax-M2.7-highspeed", "MiniMax-M2.5", "MiniMax-M2.5-highspeed", "MiniMax-M2.1",
                "MiniMax-M2.1-highspeed",
                "MiniMax-M2",
            ])
        #expect(configuration.models.dropFirst().allSatisfy { $0.contextWindow == 204_800 })
        #expect(configuration.maxTokensField == .maxCompletionTokens)
        #expect(configuration.extraFields == ["reasoning_split": true])
        #expect(configuration.reasoning == ReasoningHandling(sendBack: .always))
        #expect(!configuration.developerRole && configuration.streamOptions && configuration.parallelToolCalls == nil)
    }

    @Test("MiniMax by Anthropic's protocol", arguments: ["https://api.minimax.io/anthropic", "http://127.0.0.1:1/anthropic/"])
    func minimaxAnthropic(url: String) throws {
        let environment = ["MINIMAX_API_KEY": "m", "MINIMAX_BASE_URL": url, "MINIMAX_MODEL": "MiniMax-M2"]
        guard case .anthropic(let configuration) = try #require(Preset.minimax.configuration(environment: environment)) else {
            Issue.record("not Anthropic's protocol")
            return
        }
        #expect(configuration.name == "minimax")
        #expect(configuration.baseURL == url)
        #expect(configuration.apiKey == "m")
        #expect(configuration.authentication == .apiKeyAndBearer)
        #expect(configuration.thinking == .adaptive)
        #expect(configuration.models.first == ModelDescription(model: "MiniMax-M2", contextWindow: 204_800))
    }

    @Test func openai() throws {
        let preset = try #require(
            Preset.openai.configuration(environment: ["OPENAI_API_KEY": "o", "OPENAI_BASE_URL": "", "OPENAI_MODEL": ""]))
        guard case .openAI(let configuration) = preset else {
            Issue.record("not OpenAI's protocol")
            return
        }
        #expect(configuration.name == "openai")
        #expect(configuration.baseURL == "https://api.openai.com/v1")
        #expect(configuration.apiKey == "o")
        #expect(configuration.models.first?.model == "gpt-5.4")
        #expect(configuration.maxTokensField == .maxCompletionTokens)
        #expect(configuration.extraFields == [:])
    }

    @Test func anthropic() throws {
        guard case .anthropic(let configuration) = try #require(Preset.anthropic.configuration(environment: ["ANTHROPIC_API_KEY": "a"]))
        else {
            Issue.record("not Anthropic's protocol")
            return
        }
        #expect(configuration.name == "anthropic")
        #expect(configuration.baseURL == "https://api.anthropic.com")
        #expect(configuration.apiKey == "a")
        #expect(configuration.authentication == .apiKey)
        #expect(configuration.models.first?.model == "claude-sonnet-4-6")
        #expect(configuration.models.allSatisfy { $0.contextWindow == 200_000 })
    }

    @Test(
        arguments: [
            (Preset.minimax, "MiniMax-M2", 204_800, 8), (.minimax, "MiniMax-M2.7-highspeed", 204_800, 8), (.minimax, "other", nil, 9),
            (.openai, "gpt-5.4-mini", 400_000, 2), (.openai, "other", nil, 3), (.anthropic, "claude-haiku-4-5", 200_000, 2),
            (.anthropic, "other", nil, 3),
        ] as [(Preset, String, Int?, Int)])
    func movedByTheEnvironment(preset: Preset, model: String, contextWindow: Int?, count: Int) throws {
        let prefix = preset.rawValue.uppercased()
        let environment = ["\(prefix)_API_KEY": "k", "\(prefix)_BASE_URL": "http://127.0.0.1:1/v1", "\(prefix)_MODEL": model]
        let configuration = try #require(preset.configuration(environment: environment))
        #expect(configuration.baseURL == "http://127.0.0.1:1/v1")
        #expect(configuration.apiKey == "k")
        #expect(configuration.models.first == ModelDescription(model: model, contextWindow: contextWindow))
        #expect(configuration.models.count == count)
        #expect(Set(configuration.models.map(\.model)).count == count)
    }
}
