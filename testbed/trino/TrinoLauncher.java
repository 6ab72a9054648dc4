import io.trino.filesystem.local.LocalFileSystemFactory;
import io.trino.plugin.hive.InternalHiveConnectorFactory;
import io.trino.plugin.memory.MemoryPlugin;
import io.trino.plugin.tpch.TpchPlugin;
import io.trino.server.testing.TestingTrinoServer;
import io.trino.spi.Plugin;
import io.trino.spi.connector.Connector;
import io.trino.spi.connector.ConnectorContext;
import io.trino.spi.connector.ConnectorFactory;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Starts a Trino with the catalogs tpch, memory and lake, says where it listens, and ends with its standard input. The first argument is the folder
 * whose files are the lake's, the root of its `local:///` addresses; each further one a property of the server: `http-server.http.port=8080`.
 */
public final class TrinoLauncher {
    public static void main(String[] arguments) {
        int code = 0;
        try {
            serve(arguments);
        } catch (Exception failure) {
            failure.printStackTrace();
            code = 1;
        }
        // Closing it in order takes seconds, and nothing of it is kept; half started it would not end by itself.
        Runtime.getRuntime().halt(code);
    }

    private static void serve(String[] arguments) throws Exception {
        Path lake = Path.of(arguments[0]);
        Map<String, String> properties = new HashMap<>();
        for (String argument : List.of(arguments).subList(1, arguments.length)) {
            int at = argument.indexOf('=');
            properties.put(argument.substring(0, at), argument.substring(at + 1));
        }
        TestingTrinoServer server = TestingTrinoServer.builder().setProperties(properties).build();
        server.installPlugin(new TpchPlugin());
        server.createCatalog("tpch", "tpch", Map.of("tpch.splits-per-node", "2"));
        server.installPlugin(new MemoryPlugin());
        server.createCatalog("memory", "memory", Map.of("memory.max-data-per-node", "256MB"));
        server.installPlugin(new HiveOfFolder(lake));
        server.createCatalog(
                "lake",
                "hive",
                Map.of(
                        "hive.metastore", "file",
                        "hive.metastore.catalog.dir", "local:///metastore",
                        "hive.non-managed-table-writes-enabled", "true",
                        "hive.timestamp-precision", "MICROSECONDS"));
        System.out.println("listening at " + server.getBaseUrl());
        while (System.in.read() != -1) {
        }
    }

    /** Trino's own connector for Hive on the file system of this machine, which the release can name in no configuration without Hadoop. */
    private record HiveOfFolder(Path folder) implements Plugin, ConnectorFactory {
        @Override
        public Iterable<ConnectorFactory> getConnectorFactories() {
            return List.of(this);
        }

        @Override
        public String getName() {
            return "hive";
        }

        @Override
        public Connector create(String catalog, Map<String, String> settings, ConnectorContext context) {
            return InternalHiveConnectorFactory.createConnector(
                    catalog, settings, context, binder -> {}, Optional.empty(), Optional.of(new LocalFileSystemFactory(folder)), Optional.empty());
        }
    }
}
