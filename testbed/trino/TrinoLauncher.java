import io.trino.plugin.memory.MemoryPlugin;
import io.trino.plugin.tpch.TpchPlugin;
import io.trino.server.testing.TestingTrinoServer;
import java.util.HashMap;
import java.util.Map;

/**
 * Starts a Trino with the catalogs tpch and memory, says where it listens, and ends with its standard input. Each argument is a property of the
 * server: `http-server.http.port=8080`.
 */
public final class TrinoLauncher {
    public static void main(String[] arguments) throws Exception {
        Map<String, String> properties = new HashMap<>();
        for (String argument : arguments) {
            int at = argument.indexOf('=');
            properties.put(argument.substring(0, at), argument.substring(at + 1));
        }
        TestingTrinoServer server = TestingTrinoServer.builder().setProperties(properties).build();
        server.installPlugin(new TpchPlugin());
        server.createCatalog("tpch", "tpch", Map.of("tpch.splits-per-node", "2"));
        server.installPlugin(new MemoryPlugin());
        server.createCatalog("memory", "memory", Map.of("memory.max-data-per-node", "256MB"));
        System.out.println("listening at " + server.getBaseUrl());
        while (System.in.read() != -1) {
        }
        // Closing it in order takes seconds, and nothing of it is kept.
        Runtime.getRuntime().halt(0);
    }
}
