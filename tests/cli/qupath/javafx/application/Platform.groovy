package javafx.application

class Platform {
    static void runLater(Runnable task) { task.run() }
}
