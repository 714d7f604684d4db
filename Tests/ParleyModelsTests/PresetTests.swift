import JSON
import ParleyCore
import ParleyModels
import Testing

struct PresetTests {
    @Test(arguments: [
        [:], ["MINIMAX_API_KEY": "", "OPENAI_API_KEY": " \n"], ["MINIMAX_BASE_URL": "https://example.com", "OPENAI_MODEL": "x"],
    ])
    func unconnectedWithoutAKey(environment: [String: String]) {
        for preset in Preset.allCases { #expect(preset.configuration(environment: environment) == nil) }
    }

    @Test func minimax() throws {
        let configuration = try #require(Preset.minimax.configuration(environment: ["MINIMAX_API_KEY": "m\n", "OPENAI_API_KEY": "o"]))
        #expect(configuration.name == "minimax")
        #expect(configuration.baseURL == "https://api.minimax.io/v1")
        #expect(configuration.apiKey == "m")
        #expect(configuration.models.first?.model == "MiniMax-M3")
        #expect(configuration.models.map(\.contextWindow) == [1_000_000, 204_800, 204_800, 204_800, 204_800])
        #expect(configuration.maxTokensField == .maxCompletionTokens)
        #expect(configuration.extraFields.map(\.key) == ["reasoning_split"])
        #expect(configuration.extraFields.first?.value == true)
    }

    @Test func openai() throws {
        let configuration = try #require(
            Preset.openai.configuration(environment: ["OPENAI_API_KEY": "o", "OPENAI_BASE_URL": "", "OPENAI_MODEL": ""]))
        #expect(configuration.name == "openai")
        #expect(configuration.baseURL == "https://api.openai.com/v1")
        #expect(configuration.apiKey == "o")
        #expect(configuration.models.first?.model == "gpt-5.4")
        #expect(configuration.maxTokensField == .maxCompletionTokens)
        #expect(configuration.extraFields.isEmpty)
    }

    @Test(arguments: [("MiniMax-M2", 204_800, 5), ("MiniMax-M3", 1_000_000, 5), ("other", nil, 6)])
    func movedByTheEnvironment(model: String, contextWindow: Int?, count: Int) throws {
        let environment = ["MINIMAX_API_KEY": "k", "MINIMAX_BASE_URL": "http://127.0.0.1:1/v1", "MINIMAX_MODEL": model]
        let configuration = try #require(Preset.minimax.configuration(environment: environment))
        #expect(configuration.baseURL == "http://127.0.0.1:1/v1")
        #expect(configuration.models.first?.model == model)
        #expect(configuration.models.first?.contextWindow == contextWindow)
        #expect(configuration.models.count == count)
        #expect(Set(configuration.models.map(\.model)).count == count)
    }
}
