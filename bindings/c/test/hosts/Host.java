// Host.java: libresnext in Java, by JNA: threads that infer while another makes the faults by which the JVM finds null
// pointers and full stacks, and while its collector stops them all, by faults, too.
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

public class Host {
    static final int CLASSES = 6, WORKERS = 4;

    @Structure.FieldOrder({"size", "threads", "reserved"})
    public static class Options extends Structure {
        public long size = 16;
        public int threads, reserved;
    }

    public interface Resnext extends Library {
        String resnext_last_error();
        int resnext_model_open(String path, Pointer options, PointerByReference model);
        int resnext_model_close(Pointer model);
        int resnext_session_new(Pointer model, Options options, PointerByReference session);
        int resnext_session_close(Pointer session);
        int resnext_infer_input(Pointer session, byte[] rgb, long length, float[] logits, long count);
    }

    static final Resnext lib = Native.load("libresnext.so.0", Resnext.class);
    static byte[] pixels;
    static final float[] golden = new float[CLASSES];
    static volatile boolean done;
    static int sink;

    static void check(int status) {
        if (status != 0)
            throw new IllegalStateException("status " + status + ": " + lib.resnext_last_error());
    }

    static void infer(Pointer model, int threads, int times) {
        Options options = new Options();
        options.threads = threads;
        PointerByReference session = new PointerByReference();
        check(lib.resnext_session_new(model, options, session));
        for (int i = 0; i < times; i++) {
            float[] logits = new float[CLASSES];
            check(lib.resnext_infer_input(session.getValue(), pixels, pixels.length, logits, CLASSES));
            if (!Arrays.equals(logits, golden)) // Float.equals compares bits
                throw new IllegalStateException(Arrays.toString(logits));
        }
        check(lib.resnext_session_close(session.getValue()));
    }

    // Compiled code looks for null by reading from it.
    static int nulls(int[][] rows) {
        int caught = 0;
        for (int[] row : rows) {
            try {
                sink += row[0];
            } catch (NullPointerException e) {
                caught++;
            }
        }
        return caught;
    }

    static int deep(int n) { return 1 + deep(n + 1); }

    static Void faults() {
        int[][] rows = new int[1000][];
        for (int i = 0; i < rows.length; i += 500)
            rows[i] = new int[1];
        do {
            if (nulls(rows) != 998)
                throw new IllegalStateException("null pointers");
            try {
                deep(0);
                throw new IllegalStateException("an endless stack");
            } catch (StackOverflowError e) {
                sink += new byte[1 << 20].length; // for the collector
            }
        } while (!done);
        return null;
    }

    public static void main(String[] args) throws Exception {
        pixels = Files.readAllBytes(Path.of("input"));
        byte[] bytes = Files.readAllBytes(Path.of("input.logits"));
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(golden);
        PointerByReference model = new PointerByReference();
        check(lib.resnext_model_open("tiny.safetensors", null, model));
        var pool = Executors.newFixedThreadPool(WORKERS + 1);
        var faults = pool.submit(Host::faults);
        var workers = new ArrayList<Callable<Void>>();
        for (int n = 0; n < WORKERS; n++) {
            int threads = 1 + n % 2;
            workers.add(() -> { infer(model.getValue(), threads, 400); return null; });
        }
        var results = pool.invokeAll(workers);
        for (var result : results)
            result.get();
        if (new ProcessBuilder("true").start().waitFor() != 0)
            throw new IllegalStateException("a child process");
        System.gc();
        infer(model.getValue(), 2, 50);
        done = true;
        faults.get();
        pool.shutdown();
        check(lib.resnext_model_close(model.getValue()));
    }
}
